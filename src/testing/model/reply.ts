/**
 * What a scripted model can say, free of any wire protocol: honest answers (`say`, `call`, `calls`, `json`) and every odd
 * thing that providers and gateways have been seen to do. Protocol files turn these values into bytes.
 */
import type { Json, JsonObject } from "../../core/json.ts";

/** Token counts as the provider reports them. What is left out is estimated from characters (4 to a token). */
export interface ReplyUsage {
  readonly input?: number;
  readonly output?: number;
  readonly cached?: number;
  readonly reasoning?: number;
  /** US dollars, as some gateways report them. */
  readonly cost?: number;
}

/** One tool call of an answer. `arguments` is the text sent, valid JSON or not; without an `id` one is derived from the request. */
export interface CallReply {
  readonly name: string;
  readonly arguments: string;
  /** "" sends an empty id, `null` leaves the field out. */
  readonly id?: string | null;
  /** The wire type: "function" unless said otherwise. */
  readonly type?: string;
  /** Further fields of the call, for example `extra_content` with a thought signature. */
  readonly extra?: JsonObject;
}

export interface Answer {
  readonly kind: "answer";
  readonly text: string | null;
  readonly calls: readonly CallReply[];
  readonly refusal?: string;
  /** In OpenAI chat words; "stop" or "tool_calls" by what the answer holds if left out. */
  readonly finish?: string;
  /** `null`: no usage is reported at all. */
  readonly usage?: ReplyUsage | null;
  /** The model that claims to have answered; the one asked for if left out. */
  readonly model?: string;
  /** Further fields of the message, which win over ours: `reasoning_details`, `phase`, `content: []`, … */
  readonly extra?: JsonObject;
  /** Responses alone: output items before the text and the calls, such as reasoning. Chat completions leave them out. */
  readonly items?: readonly JsonObject[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ErrorReply {
  readonly kind: "error";
  readonly status: number;
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | number | null;
  };
  readonly headers: Readonly<Record<string, string>>;
}

export interface RawReply {
  readonly kind: "raw";
  readonly status: number;
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

export type Reply =
  | Answer
  | ErrorReply
  | RawReply
  | { readonly kind: "no-choices" }
  /** Send `reply` up to the share `at` (0 to 1) of its body, then break the connection or fall silent. */
  | { readonly kind: "cut"; readonly reply: Reply; readonly at: number; readonly after: "disconnect" | "hang" }
  | { readonly kind: "silence" }
  | { readonly kind: "late"; readonly reply: Reply; readonly ms: number }
  /** The body in so many pieces of equal length, `ms` apart. */
  | { readonly kind: "slow"; readonly reply: Reply; readonly ms: number; readonly pieces: number };

export type AnswerOptions = Partial<Omit<Answer, "kind">>;

/** An answer with anything in it; the builders below are short for it. */
export function answer(parts: AnswerOptions): Answer {
  return { kind: "answer", text: null, calls: [], ...parts };
}

export function say(text: string, options: AnswerOptions = {}): Answer {
  return answer({ text, ...options });
}

/** A final answer that is JSON text. */
export function json(value: Json, options: AnswerOptions = {}): Answer {
  return say(JSON.stringify(value), options);
}

/** One tool call. A string as `args` is sent as it stands; anything else as its JSON. */
export function call(
  name: string,
  args: JsonObject | string = {},
  options: Partial<Omit<CallReply, "name" | "arguments">> = {},
): Answer {
  return answer({ calls: [{ name, arguments: typeof args === "string" ? args : JSON.stringify(args), ...options }] });
}

/** Several calls in one turn: `calls([call("a"), call("b", { n: 1 })])`. */
export function calls(list: readonly Answer[], options: AnswerOptions = {}): Answer {
  return answer({ calls: list.flatMap((one) => one.calls), ...options });
}
