/** What a wire protocol has to give the scripted model; one file per protocol implements it. Scripts see only the neutral half. */
import type { JsonObject } from "../../core/json.ts";
import type { Answer, ErrorReply } from "./reply.ts";

export type ScriptMessage =
  | { readonly role: "system" | "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly calls: readonly ScriptCall[] }
  | { readonly role: "tool"; readonly callId: string; readonly text: string };

export interface ScriptCall {
  readonly id: string;
  readonly name: string;
  /** The text as sent; it may not be JSON. */
  readonly arguments: string;
}

export interface ScriptTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

/** A request as a script reads it: the same for every wire protocol. `body` is what came over the wire. */
export interface ScriptRequest {
  readonly model: string;
  readonly messages: readonly ScriptMessage[];
  readonly tools: readonly ScriptTool[];
  /** "auto", "none", "required", or the name of the one tool that must be called. */
  readonly toolChoice: string;
  readonly stream: boolean;
  readonly body: JsonObject;
}

/** Bytes to send. Chunks go out one by one, so a stream can be cut between or inside them. */
export interface Wire {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly (string | Uint8Array)[];
}

export interface Protocol {
  readonly name: string;
  /** Below the base URL, with a leading slash. */
  readonly path: string;
  /** The header that names a request in the provider's log; default `x-request-id`. */
  readonly requestIdHeader?: string;
  /** The same for the request's headers; lower-case names. */
  readonly checkHeaders?: (headers: Readonly<Record<string, string>>) => string[];
  /** What the real API would refuse, one sentence each; empty if nothing. Each starts with the field: "messages[2].content: …". */
  check(body: unknown): string[];
  /** Never throws, whatever the body is. */
  read(body: unknown): ScriptRequest;
  /** `seed` is equal for equal requests: ids come from it. */
  answer(request: ScriptRequest, answer: Answer, seed: string): Wire;
  noChoices(request: ScriptRequest, seed: string): Wire;
  error(reply: ErrorReply): Wire;
  /** The refusal of a request with these problems, of which there is at least one. */
  invalid(problems: readonly string[]): ErrorReply;
}

export function jsonWire(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Wire {
  return { status, headers: { "content-type": "application/json", ...headers }, chunks: [JSON.stringify(body)] };
}
