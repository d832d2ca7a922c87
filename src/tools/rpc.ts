/** JSON-RPC 2.0 by HTTP POST, each request sent at most once: no redirects, a bounded answer, and errors that say what is known. */
import { retryAfterMs } from "../core/retry-after.ts";
import { isObject } from "../core/json.ts";
import { dialFailure, systemCode } from "../core/system-error.ts";

export interface RpcTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type RpcAnswer =
  | { readonly is: "result"; readonly result: unknown }
  /** The server's own no. */
  | { readonly is: "error"; readonly code: number; readonly message: string; readonly data: unknown }
  | { readonly is: "status"; readonly status: number; readonly retryAfterMs?: number }
  /** Certainly not sent. */
  | { readonly is: "unsent"; readonly message: string }
  /** It may have been executed. */
  | { readonly is: "broken"; readonly message: string };

const MOST_BYTES = 16 * 1_024 * 1_024;
let lastId = 0;

/** Never rejects. */
export async function rpc(
  { url, headers }: RpcTarget,
  method: string,
  params: unknown,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<RpcAnswer> {
  if (signal?.aborted === true) return { is: "unsent", message: "given up before it was sent" };
  const id = ++lastId;
  const late = AbortSignal.timeout(Math.max(1, timeoutMs));
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { accept: "application/json", ...headers, "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", method, params, id }),
      // The key goes to the configured address and to no other.
      redirect: "manual",
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
    const text = await read(response);
    if (text === undefined) return { is: "broken", message: "the answer is too long" };
    const answer = parsed(text);
    if (isObject(answer) && isObject(answer["error"])) return errorOf(answer["error"]);
    if (!response.ok) return { is: "status", status: response.status, ...retryAfter(response.headers) };
    // An answer to another request is none.
    if (!isObject(answer) || !("result" in answer) || (answer["id"] !== undefined && answer["id"] !== id))
      return { is: "broken", message: "the answer is no JSON-RPC answer to this request" };
    return { is: "result", result: answer["result"] };
  } catch (error) {
    const dialled = dialFailure(error);
    if (dialled !== undefined) return { is: "unsent", message: `no connection (${dialled})` };
    return {
      is: "broken",
      message: `no answer (${systemCode(error) ?? (error instanceof Error ? error.name : "error")})`,
    };
  }
}

function errorOf({ code, message, data }: Readonly<Record<string, unknown>>): RpcAnswer {
  return { is: "error", code: Number(code ?? 0), message: typeof message === "string" ? message : "refused", data };
}

function retryAfter(headers: Headers): { readonly retryAfterMs?: number } {
  const ms = retryAfterMs(headers, undefined, 3_600_000);
  return ms === undefined ? {} : { retryAfterMs: ms };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function read(response: Response): Promise<string | undefined> {
  const body: AsyncIterable<Uint8Array> | null = response.body;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
