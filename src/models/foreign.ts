/**
 * Turns that another model said, or this one in another protocol: a run goes on with a fallback, and when its profile's protocol is changed
 * under it. They are told by their text and their calls; nothing else of them would be understood.
 */
import type { Json } from "../core/json.ts";
import type { Message, RequestedCall } from "../core/messages.ts";
import { type ReadCall, readCalls, readFunction } from "./chat-calls.ts";
import { asMessage, type ReadBlock, readBlocks, toolUse } from "./messages-blocks.ts";
import { functionCall, readItems, type ReadItem } from "./responses-items.ts";

type Assistant = Extract<Message, { role: "assistant" }>;

/** The calls of a turn, whichever protocol it was said in. */
export function requestedCalls(verbatim: Json): readonly RequestedCall[] {
  const message = asMessage(verbatim);
  if (message === undefined && !Array.isArray(verbatim)) return readCalls(verbatim).map(({ requested }) => requested);
  const read = message === undefined ? readItems(verbatim) : readBlocks(message["content"]);
  return read.flatMap((one) => (one.is === "call" ? [one.requested] : []));
}

/** A turn as output items of Responses. */
export function foreignItems({ verbatim, text }: Assistant): readonly ReadItem[] {
  const calls = requestedCalls(verbatim).map((requested): ReadItem => ({
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

/** A turn as content blocks of messages. */
export function foreignBlocks({ verbatim, text }: Assistant): readonly ReadBlock[] {
  const calls = requestedCalls(verbatim).map((requested): ReadBlock => ({
    is: "call",
    block: {},
    requested,
    replay: (id) => toolUse(id, requested.name, requested.arguments),
  }));
  return [{ is: "text", block: {}, text }, ...calls];
}

/** The calls of a turn for chat completions. */
export function chatCalls(verbatim: Json, foreign?: true): readonly ReadCall[] {
  if (foreign !== true && !Array.isArray(verbatim) && asMessage(verbatim) === undefined) return readCalls(verbatim);
  return requestedCalls(verbatim).map((one) =>
    readFunction({ id: one.providerId }, { name: one.name, arguments: one.arguments }),
  );
}
