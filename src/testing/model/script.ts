/** Scripts: which reply a request gets. Decided from the request itself, so that a worker that died gets the same again. */
import { httpError } from "./faults.ts";
import type { ScriptRequest } from "./protocol.ts";
import type { Reply } from "./reply.ts";

export interface ScriptContext {
  /** Assistant messages in the transcript: 0 on the first request of a conversation. */
  readonly turn: number;
  /** How many requests this server saw before this one. */
  readonly index: number;
  /** How often this very request (the same body) came before: 0 the first time, 1 for its first repeat. */
  readonly attempt: number;
}

export type ScriptFunction = (request: ScriptRequest, context: ScriptContext) => Reply | Promise<Reply>;

/** A function, or the steps of one conversation: the step at the request's turn answers it. */
export type Script = ScriptFunction | readonly (Reply | ScriptFunction)[];

/** Another reply each time the same request comes again; the last one stays: `attempts(httpError(500), say("ok"))`. */
export function attempts(first: Reply, ...further: readonly Reply[]): ScriptFunction {
  const replies = [first, ...further];
  return (_request, { attempt }) => replies[Math.min(attempt, replies.length - 1)] ?? first;
}

/** Never rejects: a mistake in the script is answered with 400, which no client tries again, so that a test fails at once. */
export async function play(script: Script, request: ScriptRequest, context: ScriptContext): Promise<Reply> {
  const step = typeof script === "function" ? script : script[context.turn];
  if (step === undefined) {
    const message = `The script has ${script.length} steps, but turn ${context.turn} was asked for (turns count from 0)`;
    return httpError(400, { message, code: "script_ended" });
  }
  if (typeof step !== "function") return step;
  try {
    return await step(request, context);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return httpError(400, { message: `The script failed: ${why}`, code: "script_failed" });
  }
}
