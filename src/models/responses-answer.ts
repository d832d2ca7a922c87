/** A Responses body, read without trust: every field may be missing, odd or hostile. Never throws. */
import { isObject, toJson } from "../core/json.ts";
import type { Finish, ModelAnswer } from "../core/messages.ts";
import { accounted, type Asked, fault, readBody, type Said, usageBy } from "./answer.ts";
import type { Fault } from "./failure.ts";
import { type Fields, textOf } from "./fields.ts";
import { type MessageItem, readItems, type ReadItem } from "./responses-items.ts";

const USAGE = usageBy({
  input: "input_tokens",
  output: "output_tokens",
  inputDetails: "input_tokens_details",
  outputDetails: "output_tokens_details",
});

/** Statuses of a response that is no answer. */
const NO_ANSWER: ReadonlyMap<unknown, string> = new Map([
  ["failed", "the provider failed to answer and does not say why"],
  ["cancelled", "the answer was cancelled at the provider"],
  ["in_progress", "the answer is not finished (in_progress)"],
  ["queued", "the answer is not finished (queued)"],
]);

/** @param body a parsed JSON body; a text if the server called it something else than JSON */
export function responsesAnswer(body: unknown, asked: Asked): ModelAnswer | Fault {
  const read = readBody(body);
  if ("fault" in read) return read.fault;
  const { fields } = read;
  const none = NO_ANSWER.get(fields["status"]);
  if (none !== undefined) return fault(none);
  const items = readItems(fields["output"]);
  // All tokens may have gone into thoughts that are not shown: then it is a cut answer.
  if (items.length === 0 && fields["status"] !== "incomplete") return fault("the answer holds no output");
  return { ...said(items, fields), ...accounted(fields, USAGE, asked) };
}

function said(items: readonly ReadItem[], { output, ...body }: Fields): Said {
  const messages = items.filter((item) => item.is === "message");
  const refusal = messages.map((message) => message.refusal).join("");
  const text = finalText(messages);
  return {
    kind: "answer",
    verbatim: Array.isArray(output) ? toJson(output) : [],
    text: text === "" ? refusal : text,
    calls: items.flatMap((item) => (item.is === "call" ? [item.requested] : [])),
    finish: refusal.trim() === "" ? finishOf(body, items) : "refused",
  };
}

/** What is said along the way (`commentary`) is the answer only where nothing else is. */
function finalText(messages: readonly MessageItem[]): string {
  const spoken = messages.filter(({ text }) => text !== "");
  const answers = spoken.filter(({ item }) => item["phase"] === "final_answer");
  const others = spoken.filter(({ item }) => item["phase"] !== "commentary");
  const chosen = [answers, others, spoken].find((some) => some.length > 0) ?? [];
  return chosen.map(({ text }) => text).join("\n");
}

/** Why a response is incomplete does not matter to its calls, which may be cut: so all reasons but one are taken for a length. */
function finishOf(body: Fields, items: readonly ReadItem[]): Finish {
  const { status, incomplete_details: details } = body;
  const reason = isObject(details) ? textOf(details["reason"]).toLowerCase() : "";
  if (status === "incomplete") return reason === "content_filter" ? "refused" : "length";
  const cut = items.some(({ is, item }) => is === "call" && UNFINISHED.includes(item["status"]));
  if (cut) return "length";
  return status === undefined || status === null || status === "completed" ? "stop" : "other";
}

const UNFINISHED: readonly unknown[] = ["incomplete", "in_progress"];
