/** Stories of what goes wrong: errors, calls that are not made, results too large, an account that is lost, a transcript too long. */
import { call, calls } from "../../../src/testing/model/reply.ts";
import { CONTEXT, limited, MAIL, ok, read, send } from "./parts.ts";
import type { Story } from "./record.ts";

export const ERRORS: readonly Story[] = [
  {
    name: "errors",
    about:
      "A tool's error with a way out, one that was not executed, one that a person refused, and one of an outcome that nobody knows.",
    context: limited({ attempts: 1 }),
    turns: [
      {
        said: calls([send("ann@example.org"), read("1"), read("2"), send("bob@example.org")]),
        calls: [
          "unknown",
          [
            {
              kind: "error",
              type: "NotFound",
              message: "There is no mail 1.",
              retryable: false,
              recovery: [{ action: "search", description: "Search for it.", tool: "gmail_search", inputs: { q: "1" } }],
            },
          ],
          [{ kind: "not-executed", why: "unavailable", message: "HTTP 503" }],
          "happened",
        ],
      },
      { said: send("ann@example.org", "again"), calls: ["repeat"] },
    ],
  },
  {
    name: "refused-calls",
    about:
      "Calls that are not made: no such tool, broken and empty arguments, against the schema, a custom one, one too many.",
    context: limited({ callsPerTurn: 1 }),
    turns: [
      {
        said: calls([
          call("gmail_raed", { id: "1" }, { id: "a" }),
          call("gmail_read", '{"id": "1', { id: "b" }),
          call("gmail_read", "", { id: "c" }),
          call("gmail_read", { id: 7, more: true }, { id: "d" }),
          call("gmail_read", "free text", { id: "e", type: "custom" }),
          read("1"),
          read("2"),
        ]),
        calls: [[MAIL]],
      },
    ],
  },
  {
    name: "large-result",
    about: "A result that is shown in part, and the next part of it.",
    context: limited({ resultChars: 600, turnResultChars: 1_200 }),
    turns: [
      { said: read("1"), calls: [[ok({ body: Array.from({ length: 120 }, (_, i) => `line ${i}`).join("\n") })]] },
      {
        said: call("read_result", { call: "t0c0", offset: 330 }, { id: "more" }),
        calls: [[ok({ call: "t0c0", offset: 330, text: "line 37\nline 38", next: 345 })]],
      },
    ],
  },
  {
    name: "large-result-outside",
    about: "A result too large for its evidence: head and tail of it, and where the rest is.",
    context: limited({ resultChars: 600, turnResultChars: 1_200 }),
    turns: [
      {
        said: read("1"),
        calls: [
          [
            {
              kind: "ok",
              data: { truncated: true, characters: 2_000_000, head: "a".repeat(400), tail: "z".repeat(400) },
              blob: { kept: true, characters: 2_000_000, pieces: 31 },
            },
          ],
        ],
      },
    ],
  },
  {
    name: "parked-and-resumed",
    about: "The account was lost at the second call; the run waited, and another worker made that call again.",
    context: CONTEXT,
    turns: [
      {
        said: calls([read("1"), read("2")]),
        calls: [[MAIL], [{ kind: "not-executed", why: "account", message: "The account is gone." }, MAIL]],
        meanwhile: [
          { kind: "parked", reason: "account", needs: [{ connection: "gmail", reason: "expired" }] },
          { kind: "leased", worker: "w2" },
          { kind: "prepared", accounts: { gmail: "ca_1" } },
        ],
      },
    ],
  },
  {
    name: "compacted",
    about: "The first two turns were summed up, the third one's result is a note, the fourth one's is shortened.",
    context: CONTEXT,
    turns: [
      { said: read("1"), calls: [[MAIL]] },
      { said: read("2"), calls: [[MAIL]] },
      { said: calls([read("3"), send("ann@example.org")]), calls: [[ok("x".repeat(400))], [ok("y".repeat(400))]] },
      {
        said: read("4"),
        calls: [[ok(Array.from({ length: 90 }, (_, i) => i))]],
        afterwards: [
          {
            kind: "compacted",
            turn: 4,
            because: "full",
            asked: { profile: "openai", model: "m-1" },
            hide: 3,
            shorten: 200,
            summary: { before: 2, text: "Mails 1 and 2 are invoices of Ann." },
            from: 9_000,
            to: 4_000,
          },
        ],
      },
    ],
  },
];
