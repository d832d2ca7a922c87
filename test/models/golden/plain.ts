/** Stories of what goes well: first and last turns, calls, ids, aliases, compaction, outputs, media. */
import { withAliases } from "../../../src/core/aliases.ts";
import { call, calls, say } from "../../../src/testing/model/reply.ts";
import { CONTEXT, GONE, MAIL, ok, read, READ } from "./parts.ts";
import type { Story } from "./record.ts";

export const PLAIN: readonly Story[] = [
  { name: "first-turn", about: "Nothing was said yet.", context: CONTEXT, turns: [] },
  {
    name: "calls-with-results",
    about: "A call in each of two turns, the first beside a text.",
    context: CONTEXT,
    turns: [
      { said: calls([read("1")], { text: "I look at the first one." }), calls: [[MAIL]] },
      { said: read("2"), calls: [[ok({ subject: "Hello" })]] },
    ],
  },
  {
    name: "parallel-calls",
    about: "Three calls at once, whose results came in the other order.",
    context: CONTEXT,
    turns: [{ said: calls([read("1"), read("2"), read("3")]), calls: [[MAIL], [ok("plain words")], [ok([])]] }],
  },
  {
    name: "last-turn",
    about: "No more tools: the answer is asked for.",
    context: CONTEXT,
    final: true,
    turns: [{ said: read("1"), calls: [[MAIL]] }],
  },
  {
    name: "strangers-words",
    about: "A tool of another server, with what people cannot see and half a character in its result.",
    context: { ...CONTEXT, tools: [{ ...READ, source: "mcp:tickets" }] },
    turns: [{ said: read("1"), calls: [[ok({ note: "Pay\u200b now\u{e0041}\u202e, ünï 😀 \ud83d" })]] }],
  },
  {
    name: "aliases",
    about: "Tools whose own names no provider takes, and one that the model does not see.",
    context: {
      ...CONTEXT,
      tools: withAliases(
        [
          { ...READ, name: "mail.read" },
          { ...READ, name: `mail/${"very_".repeat(14)}long` },
          { ...READ, name: "hidden", hidden: true },
        ],
        () => "0123456789abcdef",
      ),
    },
    turns: [
      {
        said: calls([
          call("mail_read", { id: "1" }, { id: "a" }),
          call("mail.read", { id: "2" }, { id: "b" }),
          call("hidden", { id: "3" }, { id: "c" }),
        ]),
        calls: [[MAIL], [MAIL]],
      },
    ],
  },
  {
    name: "provider-ids",
    about: "The provider's ids are repeated, empty, missing, and too long.",
    context: CONTEXT,
    turns: [
      {
        said: calls([
          read("1", "tool:0"),
          read("2", "tool:0"),
          read("3", ""),
          call("gmail_read", { id: "4" }, { id: null }),
          read("5", "x".repeat(120)),
        ]),
        calls: [[MAIL], [MAIL], [MAIL], [MAIL], [MAIL]],
      },
      { said: read("6", "tool:0"), calls: [[MAIL]] },
    ],
  },
];

const OUTPUT = {
  type: "object",
  properties: { title: { type: "string", maxLength: 80 }, mails: { type: "integer", minimum: 0 } },
  required: ["title", "mails"],
} as const;

export const THINGS: readonly Story[] = [
  {
    name: "output-repaired",
    about: "The agent's output has a schema; an answer that did not fit was sent back, twice.",
    context: { ...CONTEXT, outputSchema: OUTPUT },
    turns: [
      { said: say('{"title": "News"}'), output: { ok: false, issues: ["mails: expected a number, got nothing"] } },
      { said: say("No."), output: { ok: false, issues: ["not valid JSON"] } },
    ],
  },
  {
    name: "media",
    about: "A picture, a PDF and a sound in a result: shown where the protocol takes them, told of everywhere.",
    context: CONTEXT,
    turns: [
      {
        said: read("1"),
        calls: [
          [
            ok([
              { type: "text", text: "Three attachments." },
              { type: "image", data: "iVBORw0KGgo=", mimeType: "image/png" },
              {
                type: "resource",
                resource: { uri: "file:///invoice.pdf", blob: "JVBERi0xLjQ=", mimeType: "application/pdf" },
              },
              { type: "audio", data: "UklGRg==", mimeType: "audio/wav" },
            ]),
          ],
        ],
      },
    ],
  },
  {
    name: "nudges",
    about: "A tool failed three times with one error: the next calls are made, and the model is told.",
    context: CONTEXT,
    turns: [
      { said: calls([read("1"), read("2"), read("3")]), calls: [[GONE], [GONE], [GONE]] },
      { said: read("4"), calls: [[MAIL]] },
    ],
  },
  {
    name: "loop",
    about: "The same call for the third time in a row: it is not made again.",
    context: CONTEXT,
    turns: [{ said: read("1"), calls: [[MAIL]] }, { said: read("1"), calls: [[MAIL]] }, { said: read("1") }],
  },
];
