/**
 * `fetch` for OpenAI's SDK, which reads the `{ error }` of a failed reply and drops every other form. Gemini's compatible endpoint
 * wraps it in a list, vLLM and FastAPI send the fields without it; all would be told as "status code (no body)".
 */
import { isObject } from "../core/json.ts";

export async function fetchWithError(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.ok) return response;
  const { status, headers } = response;
  return new Response(normalised(await response.text()), { status, headers });
}

function normalised(text: string): string | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  const first: unknown = Array.isArray(body) ? body[0] : body;
  if (!isObject(first) || first["error"] !== undefined) return JSON.stringify(first);
  const { detail, ...rest } = first;
  return JSON.stringify({ error: { ...rest, message: rest["message"] ?? detail } });
}
