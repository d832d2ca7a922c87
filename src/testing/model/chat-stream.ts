/** Chat completions as server-sent events: the same answer in deltas. */
import { isObject, type JsonObject } from "../../core/json.ts";
import { finishOf, head, messageOf, usageOf, wireCall } from "./chat-answer.ts";
import type { ScriptRequest, Wire } from "./protocol.ts";
import type { Answer } from "./reply.ts";

export function streamed(request: ScriptRequest, reply: Answer, seed: string): Wire {
  const shared = head(request, "chat.completion.chunk", seed, reply.model);
  const usage = usageOf(request, reply);
  const options = request.body["stream_options"];
  const wantsUsage = isObject(options) && options["include_usage"] === true && usage !== null;
  const event = (delta: JsonObject, finish: string | null): JsonObject => ({
    ...shared,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(wantsUsage ? { usage: null } : {}),
  });
  const events = [...deltas(reply, seed).map((delta) => event(delta, null)), event({}, finishOf(reply))];
  if (wantsUsage) events.push({ ...shared, choices: [], usage });
  return {
    status: 200,
    headers: { "content-type": "text/event-stream; charset=utf-8", ...reply.headers },
    chunks: [...events.map((data) => `data: ${JSON.stringify(data)}\n\n`), "data: [DONE]\n\n"],
  };
}

function deltas(reply: Answer, seed: string): JsonObject[] {
  const message = messageOf(reply, seed);
  const { content: _content, refusal: _refusal, tool_calls: _calls, annotations: _annotations, ...start } = message;
  const list: JsonObject[] = [{ ...start, content: reply.text === null ? null : "" }];
  for (const piece of pieces(reply.text ?? "")) list.push({ content: piece });
  for (const piece of pieces(reply.refusal ?? "")) list.push({ refusal: piece });
  for (const [index, one] of reply.calls.entries()) {
    const whole = wireCall({ ...one, arguments: "" }, index, seed);
    list.push({ tool_calls: [{ index, ...whole }] });
    const field = one.type === "custom" ? "input" : "arguments";
    for (const piece of pieces(one.arguments))
      list.push({ tool_calls: [{ index, [one.type ?? "function"]: { [field]: piece } }] });
  }
  return list;
}

/** Pieces of 24 code points: whole characters, so each piece is valid UTF-8. */
export function pieces(text: string): string[] {
  const points = Array.from(text);
  return Array.from({ length: Math.ceil(points.length / 24) }, (_, i) => points.slice(i * 24, (i + 1) * 24).join(""));
}
