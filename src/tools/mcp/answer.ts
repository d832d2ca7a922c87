/** What a model is shown of an MCP server's answer, and what follows from its refusals. Pure: reads only shapes, of any SDK. */
import { isObject, type Json, toJson } from "../../core/json.ts";
import { happenedEnvelope, type Outcome } from "../../core/outcome.ts";
import { safeText } from "../../core/safe-text.ts";
import { dialFailure, systemCode } from "../../core/system-error.ts";
import { readText } from "../served.ts";

const MOST_ERROR = 2_000;

/** @param most characters of all texts together */
export function outcomeOfResult(result: unknown, most: number): Outcome {
  if (!isObject(result)) return { kind: "unknown", message: "the MCP server's answer has no form" };
  const content = (Array.isArray(result["content"]) ? result["content"] : []).filter(isObject);
  if (result["isError"] === true) {
    const text = content.map((block) => (typeof block["text"] === "string" ? block["text"] : "")).join("\n");
    const message =
      text.trim() === "" ? "The tool failed and did not say why." : text.slice(0, MOST_ERROR).toWellFormed();
    return { kind: "error", type: "ToolError", message, retryable: false };
  }
  const structured = result["structuredContent"];
  if (structured !== undefined) return { kind: "ok", data: capped(toJson(structured), most) };
  const shown = content.map(block);
  const [only] = shown;
  const data = shown.length === 1 && typeof only === "string" ? readText(only) : shown;
  return { kind: "ok", data: capped(toJson(data), most) };
}

/** Texts and images as they are (core/media.ts knows who can be shown one); what no model can read is named. */
function block(given: Readonly<Record<string, unknown>>): Json {
  const { type, text, data, mimeType: mime, uri, name, resource } = given;
  const kind = typeof mime === "string" ? mime.slice(0, 100) : String(type);
  if (type === "text" && typeof text === "string") return text;
  if (type === "resource" && isObject(resource)) {
    if (typeof resource["text"] === "string") return { resource: toJson(resource["uri"]), text: resource["text"] };
    return { resource: toJson(resource["uri"]), not_shown: "binary" };
  }
  if (type === "image" && typeof data === "string" && typeof mime === "string") return { type, data, mimeType: mime };
  if (type === "resource_link") return { link: toJson(uri), name: toJson(name) };
  const size = typeof data === "string" ? `, ${data.length} characters of base64` : "";
  return { not_shown: `${kind}${size}` };
}

/** A server that answers without end fills no journal: what does not fit is left out, and said so. */
function capped(data: Json, most: number): Json {
  const text = JSON.stringify(data);
  if (text.length <= most) return data;
  return { truncated: true, characters: text.length, head: text.slice(0, most).toWellFormed() };
}

/**
 * Of a call that threw. The SDK's errors are told by their fields: a protocol error has a number for its code, the SDK's own a word,
 * one of HTTP a status as well.
 */
export function outcomeOfThrown(tool: string, error: unknown): Outcome {
  if (!(error instanceof Error)) return { kind: "unknown", message: "unreadable error of an MCP server" };
  const dialled = dialFailure(error);
  if (dialled !== undefined) return unsent(`no connection to the MCP server (${dialled})`);
  const { code, status } = error as Error & { code?: unknown; status?: unknown };
  if (error.name === "UnauthorizedError") return refused("credentials", "the MCP server refused our credentials");
  if (typeof status === "number") return ofStatus(status, error);
  if (typeof code === "number") return ofCode(code, error);
  switch (code) {
    case "NOT_CONNECTED":
    case "NOT_INITIALIZED":
      return unsent("not connected to the MCP server");
    case "NO_TOKEN":
      return unsent(safeText(`the app's own token function gave ${error.message}`));
    // It answered, and the answer is not what its own schema says, or a question back, which nobody can answer here.
    case "INVALID_RESULT":
      return { kind: "ok", data: happenedEnvelope(tool) };
    case "UNSUPPORTED_RESULT_TYPE":
      return definite("InputRequired", "The tool asks a person for input; nobody can answer here.");
    // No session came about: what it says and what lies below it tell a wrong address from a wrong certificate.
    case "ERA_NEGOTIATION_FAILED": {
      const below = systemCode(error.cause);
      return unsent(safeText(`the MCP server: ${error.message}${below === undefined ? "" : ` (${below})`}`));
    }
    default:
      return {
        kind: "unknown",
        message: safeText(`no answer of the MCP server (${systemCode(error) ?? error.name})`),
      };
  }
}

function ofStatus(status: number, error: Error): Outcome {
  const message = `the MCP server answered HTTP ${status}`;
  if (status === 401 || status === 403) return refused("credentials", message);
  if (status === 429) return refused("rate-limit", message);
  // Its session is gone; the next attempt opens another.
  if (status === 404) return unsent(message);
  if (status >= 400 && status < 500 && status !== 408)
    return definite("ProtocolError", safeText(`${message}: ${error.message}`));
  return { kind: "unknown", message };
}

function ofCode(code: number, error: Error): Outcome {
  const message = safeText(error.message);
  switch (code) {
    case -32_602:
      return definite("InvalidArguments", message);
    case -32_600:
    case -32_601:
    case -32_700:
      return definite("ProtocolError", message);
    case -32_042:
      return definite("InputRequired", "The tool asks a person for input; nobody can answer here.");
    default:
      return { kind: "unknown", message };
  }
}

function definite(type: string, message: string): Outcome {
  return { kind: "error", type, message, retryable: false };
}

function refused(why: "credentials" | "rate-limit", message: string): Outcome {
  return { kind: "not-executed", why, message };
}

function unsent(message: string): Outcome {
  return { kind: "not-executed", why: "unavailable", message };
}

/** Whether the session behind it is worth keeping after this. */
export function isSessionLost(error: unknown): boolean {
  const { code, status, name } = (isObject(error) ? error : {}) as { code?: unknown; status?: unknown; name?: unknown };
  return typeof code !== "number" || status === 404 || name === "UnauthorizedError";
}
