/** The transcript as Anthropic's messages: roles take turns, and each call has exactly one result in the message after it. Pure. */
import type { Message } from "../core/messages.ts";
import { type Fields, said } from "./fields.ts";
import { foreignBlocks } from "./foreign.ts";
import { messagesContent } from "./media.ts";
import { asMessage, readBlocks, type ReadBlock } from "./messages-blocks.ts";
import { type Result, resultsAfter } from "./results.ts";

type Assistant = Extract<Message, { role: "assistant" }>;

export interface Said {
  readonly role: "user" | "assistant";
  readonly content: readonly Fields[];
}

/** @param vision whether images and files go along */
export function conversation(messages: readonly Message[], vision: boolean): Said[] {
  const sent: Said[] = [];
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i];
    if (message?.role === "user") add(sent, "user", [text(message.text)]);
    if (message?.role !== "assistant") continue;
    const turn = turnOf(message, resultsAfter(messages, i), vision);
    if (sent.at(-1)?.role !== "user") add(sent, "user", [text("")]);
    add(sent, "assistant", turn.blocks);
    if (turn.results.length > 0) add(sent, "user", turn.results);
  }
  // An answer to be completed is another thing than an answer; models of today refuse it.
  if (sent.at(-1)?.role !== "user") add(sent, "user", [text("")]);
  return sent;
}

/** What one side says in a row is one message: all results of a turn, and what is said with them. */
function add(sent: Said[], role: Said["role"], content: readonly Fields[]): void {
  const last = sent.at(-1);
  if (last?.role === role) sent[sent.length - 1] = { role, content: [...last.content, ...content] };
  else sent.push({ role, content });
}

function text(words: string): Fields {
  return { type: "text", text: said(words) };
}

function turnOf(
  message: Assistant,
  results: readonly Result[],
  vision: boolean,
): { blocks: readonly Fields[]; results: readonly Fields[] } {
  const answers = new Map(results.toReversed().map((result) => [result.callId, result]));
  const own = message.foreign === true ? undefined : asMessage(message.verbatim);
  const read = own === undefined ? foreignBlocks(message) : readBlocks(own["content"]);
  const answered: Fields[] = [];
  let calls = 0;
  const kept = read.flatMap((one): { readonly is: ReadBlock["is"]; readonly block: Fields }[] => {
    if (one.is !== "call") return isSendable(one) ? [{ is: one.is, block: asText(one) }] : [];
    const id = message.callIds[calls++];
    const answer = id === undefined ? undefined : answers.get(id);
    if (id === undefined || answer === undefined) return [];
    answered.push({ type: "tool_result", tool_use_id: id, content: messagesContent(answer, vision) });
    return [{ is: one.is, block: one.replay(id) }];
  });
  // A message must not end in a thought.
  const blocks = kept.slice(0, kept.findLastIndex(({ is }) => is !== "thought") + 1).map(({ block }) => block);
  return { blocks: blocks.length > 0 ? blocks : [text(message.text)], results: answered };
}

/** A thought is taken back only as it was given, with the signature that proves it. An empty text is refused. */
function isSendable(one: ReadBlock): boolean {
  if (one.is === "text" || one.is === "refusal") return one.text.trim() !== "";
  if (one.is !== "thought") return true;
  const { type, signature, thinking, data } = one.block;
  if (type === "redacted_thinking") return typeof data === "string" && data !== "";
  return typeof signature === "string" && signature !== "" && typeof thinking === "string";
}

function asText(one: ReadBlock): Fields {
  if (one.is === "refusal") return { type: "text", text: one.text };
  return one.is === "text" ? { ...one.block, type: "text", text: one.text } : one.block;
}
