/** Turns that were said in the other protocol: a run goes on when its profile's protocol is changed under it. */
import type { Json } from "../core/json.ts";
import type { Message, RequestedCall } from "../core/messages.ts";
import { type ReadCall, readCalls, readFunction } from "./chat-calls.ts";
import { functionCall, readItems, type ReadItem } from "./responses-items.ts";

/** A chat message as output items. */
export function foreignItems({ verbatim, text }: Extract<Message, { role: "assistant" }>): readonly ReadItem[] {
  const calls = readCalls(verbatim).map(({ requested }): ReadItem => ({
    is: "call",
    item: {},
    requested,
    replay: (id) => ({
      call: functionCall(id, requested.name, requested.arguments),
      outputType: "function_call_output",
    }),
  }));
  return [{ is: "message", item: {}, text, refusal: "" }, ...calls];
}

/** The calls of a turn for chat completions, whichever protocol it was said in. */
export function chatCalls(verbatim: Json): readonly ReadCall[] {
  if (!Array.isArray(verbatim)) return readCalls(verbatim);
  const asked: RequestedCall[] = readItems(verbatim).flatMap((item) => (item.is === "call" ? [item.requested] : []));
  return asked.map((one) => readFunction({ id: one.providerId }, { name: one.name, arguments: one.arguments }));
}
