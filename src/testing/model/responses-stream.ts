/** Responses as server-sent events: the text in deltas, and the whole response at its end, as the real API sends it. */
import type { JsonObject } from "../../core/json.ts";
import { pieces } from "./chat-stream.ts";
import type { Wire } from "./protocol.ts";
import type { Answer } from "./reply.ts";

export function responseStream(whole: JsonObject, reply: Answer): Wire {
  const { output: _output, usage: _usage, ...start } = whole;
  const created = { ...start, status: "in_progress", output: [], usage: null };
  const end = whole["status"] === "incomplete" || whole["status"] === "failed" ? String(whole["status"]) : "completed";
  const events: JsonObject[] = [
    { type: "response.created", response: created },
    ...pieces(reply.text ?? "").map((delta) => ({
      type: "response.output_text.delta",
      item_id: "msg",
      output_index: 0,
      content_index: 0,
      delta,
    })),
    { type: `response.${end}`, response: whole },
  ];
  return eventStream(events, reply);
}

/** Each event under its own name. */
export function eventStream(events: readonly JsonObject[], reply: Answer): Wire {
  return {
    status: 200,
    headers: { "content-type": "text/event-stream; charset=utf-8", ...reply.headers },
    chunks: events.map((data, i) => {
      const type = typeof data["type"] === "string" ? data["type"] : "";
      const numbered = type.startsWith("response.") ? { ...data, sequence_number: i } : data;
      return `event: ${type}\ndata: ${JSON.stringify(numbered)}\n\n`;
    }),
  };
}
