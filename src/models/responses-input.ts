/** The transcript as input items of a Responses request: each call with exactly one answer, whatever the journal holds. Pure. */
import { isObject } from "../core/json.ts";
import type { Message } from "../core/messages.ts";
import { type Fields, said } from "./fields.ts";
import { foreignItems } from "./foreign.ts";
import { responsesOutput } from "./media.ts";
import { type CallItem, type MessageItem, readItems, type ReadItem } from "./responses-items.ts";
import { type Result, resultsAfter } from "./results.ts";

type Assistant = Extract<Message, { role: "assistant" }>;

/** @param vision whether images and files go along */
export function inputItems(messages: readonly Message[], vision: boolean): Fields[] {
  const sent: Fields[] = [];
  const taken = new Set<unknown>();
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i];
    if (message?.role === "user") sent.push(plainMessage("user", message.text));
    if (message?.role !== "assistant") continue;
    sent.push(...turn(message, resultsAfter(messages, i), taken, vision));
  }
  return sent;
}

export function plainMessage(role: string, text: string): Fields {
  return { type: "message", role, content: said(text) };
}

/** An item that goes out, and its call's answer, which comes after all items of the turn. */
interface Sent {
  readonly is: ReadItem["is"];
  readonly item: Fields;
  readonly output?: Fields;
}

function turn(message: Assistant, results: readonly Result[], taken: Set<unknown>, vision: boolean): Fields[] {
  const answers = new Map(results.toReversed().map((result) => [result.callId, responsesOutput(result, vision)]));
  const isOwn = Array.isArray(message.verbatim) && message.foreign !== true;
  const read = isOwn ? readItems(message.verbatim) : foreignItems(message);
  // OpenAI knows which thought an id belongs to, and refuses one without the other.
  const whole = read.every((one) => one.is !== "reasoning" || isReplayable(one.item));
  let calls = 0;
  const sent = read.flatMap((one): Sent[] => {
    if (one.is === "call") {
      const id = message.callIds[calls++];
      const answer = id === undefined ? undefined : answers.get(id);
      return id === undefined || answer === undefined ? [] : [sentCall(one, id, answer)];
    }
    if (one.is === "message") return sentMessage(one);
    return one.is === "other" || isReplayable(one.item) ? [{ is: one.is, item: one.item }] : [];
  });
  const taking = sent.flatMap((one) => withId(one, taken, whole));
  // Thoughts that lead to nothing are refused.
  const kept = taking.slice(0, taking.findLastIndex(({ is }) => is !== "reasoning") + 1);
  if (kept.length === 0) return [plainMessage("assistant", message.text)];
  return [...kept.map(({ item }) => item), ...kept.flatMap(({ output }) => (output === undefined ? [] : [output]))];
}

function sentCall(one: CallItem, id: string, output: string | Fields[]): Sent {
  const { call, outputType } = one.replay(id);
  return { is: "call", item: call, output: { type: outputType, call_id: id, output } };
}

/** An empty message says nothing, and vLLM stumbles over it. */
function sentMessage({ item, text, refusal }: MessageItem): Sent[] {
  const { content } = item as { content?: unknown };
  if (Array.isArray(content) && content.length > 0 && content.every(isPlainPart))
    return [{ is: "message", item: { ...item, type: "message", role: "assistant" } }];
  const words = text.trim() === "" ? refusal : text;
  if (words.trim() === "") return [];
  const part = { type: "output_text", text: words.toWellFormed(), annotations: [] };
  return [{ is: "message", item: { ...item, type: "message", role: "assistant", content: [part] } }];
}

function isPlainPart(part: unknown): boolean {
  if (!isObject(part) || (part["type"] !== "output_text" && part["type"] !== "refusal")) return false;
  const text = textOfPart(part);
  return typeof text === "string" && text.trim() !== "" && text.isWellFormed();
}

function textOfPart(part: Fields): unknown {
  return part[part["type"] === "refusal" ? "refusal" : "text"];
}

/**
 * Nothing is kept at the provider: without its encrypted content a thought is an id that leads nowhere ("Item with id … not found").
 * Open models show their thoughts in the open.
 */
function isReplayable(item: Fields): boolean {
  const { encrypted_content: encrypted, content } = item;
  return (typeof encrypted === "string" && encrypted !== "") || (Array.isArray(content) && content.length > 0);
}

/** How the ids of each type begin. OpenAI refuses others, and any id that comes twice. */
const PREFIX: Readonly<Record<string, string>> = { message: "msg", function_call: "fc", custom_tool_call: "ctc" };

/** Anything else is refused, and comes from servers that only resemble OpenAI's. */
const PHASES: readonly unknown[] = ["commentary", "final_answer", null];
const STATUSES: readonly unknown[] = ["in_progress", "completed", "incomplete"];

/** Without what only the provider may say of an item, and with the provider's id of it where that will be taken. */
function withId(sent: Sent, taken: Set<unknown>, whole: boolean): Sent[] {
  const { id, status, phase, created_by: _by, ...rest } = sent.item;
  const seen = id !== undefined && taken.has(id);
  if (sent.is === "other" && seen) return [];
  const keeps = !seen && (sent.is === "other" || isAccepted(sent, whole));
  if (keeps && id !== undefined) taken.add(id);
  const known = sent.is === "other" ? status !== undefined : STATUSES.includes(status);
  const item = {
    ...(keeps && id !== undefined && { id }),
    ...rest,
    ...(known && { status }),
    ...(PHASES.includes(phase) && { phase }),
  };
  return [{ ...sent, item: shaped(sent.is, item) }];
}

/** An encrypted thought is bound to its id, whatever that looks like. */
function isAccepted({ is, item }: Sent, whole: boolean): boolean {
  const { id, type, encrypted_content: encrypted } = item;
  if (typeof id !== "string" || id === "") return false;
  if (is === "reasoning") return typeof encrypted === "string" && encrypted !== "";
  return whole && id.startsWith(PREFIX[String(type)] ?? "") && /^[\w-]{1,64}$/.test(id);
}

/** Servers that check take parts only in a message with its id and its status; without them, a text. */
function shaped(is: Sent["is"], item: Fields): Fields {
  if (is === "reasoning") return Array.isArray(item["summary"]) ? item : { ...item, summary: [] };
  if (is !== "message" || (item["id"] !== undefined && item["status"] !== undefined)) return item;
  const { id: _id, status: _status, content, ...rest } = item;
  const parts = Array.isArray(content) ? content.filter(isObject) : [];
  return { ...rest, content: parts.map((part) => textOfPart(part)).join("") };
}
