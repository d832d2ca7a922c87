/** Pitfalls of the SDK that have no other test of their own (docs/seeds.md lists all of them). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GITHUB_SAMPLE } from "../../src/testing/connectors/index.ts";
import { send, start } from "./start.ts";

test("P11: what Scalekit answers is plain JSON here; timestamps that are BigInt stay inside", async (t) => {
  const { emulator, accounts, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const looked = await accounts.look("ada", ["gmail"]);
  const link = await accounts
    .link("ada", "gmail", { state: "s", userVerifyUrl: "http://127.0.0.1:9/back" })
    .catch(String);
  for (const answer of [looked, link, await send(toolbox)]) assert.equal(typeof JSON.stringify(answer), "string");
});

test("P12: what protobuf would mangle is cleaned before it is sent, as JSON would carry it", async (t) => {
  const { emulator, toolbox } = await start(t);
  emulator.connect("ada", "gmail");
  const args = {
    query: "x",
    max_results: Number.NaN,
    label_ids: [undefined, "INBOX"],
    page_token: undefined,
    format: new Date(0),
    include_spam_trash: () => true,
  };
  const outcome = await send(toolbox, { tool: "gmail_fetch_mails", args: args as never });
  assert.match(JSON.stringify(outcome), /"kind":"(ok|error)"/);
  const cleaned = await send(toolbox, {
    tool: "gmail_create_label",
    args: { name: "ü\ud800", big: 2n ** 60n, at: new Date(0), gone: undefined } as never,
  });
  assert.equal(cleaned.kind, "ok", JSON.stringify(cleaned));
  assert.deepEqual(emulator.ledger.at(-1)?.input, {
    name: "ü\ufffd",
    big: "1152921504606846976",
    at: "1970-01-01T00:00:00.000Z",
  });
});

test("P21: a list stands in `array`, as Scalekit wraps it", async (t) => {
  const { emulator, toolbox } = await start(t, { connections: ["github"] });
  emulator.connect("ada", "github");
  emulator.github("ada").load(GITHUB_SAMPLE);
  const listed = await send(toolbox, { tool: "github_user_repos_list", connection: "github" });
  assert.ok(listed.kind === "ok", JSON.stringify(listed));
  assert.deepEqual(Object.keys(listed.data ?? {}), ["array"]);
});
