/** The review that comes with Errand, held against the emulated connectors as Scalekit's lists show them over the wire. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { SeenTool } from "../../src/core/proposal.ts";
import { createCatalogue } from "../../src/scalekit/catalogue.ts";
import { shippedReview } from "../../src/scalekit/manifest.ts";
import { listOffers } from "../../src/scalekit/offers.ts";
import { IDEMPOTENT, READ, UNSAFE } from "../../src/scalekit/reviewed.ts";
import { CONNECTORS, type Connector } from "../../src/testing/connectors/index.ts";
import { start, type Started, why } from "./start.ts";

const NAMES = CONNECTORS.map((connector) => connector.name);

async function everything(t: TestContext): Promise<Started> {
  const started = await start(t, { connections: NAMES });
  for (const name of NAMES) started.emulator.connect("ada", name);
  return started;
}

/** What to do about each definition that nobody has reviewed. */
function unpinned(definitions: readonly SeenTool[]): string[] {
  return definitions
    .filter(({ name, hash }) => shippedReview(name)?.hashes.includes(hash) !== true)
    .map(({ name, hash }) => `src/scalekit/reviewed.ts: read ${name} again, then pin it: ${name}: "${hash}",`);
}

test("every definition of the emulated connectors is pinned, as one user's accounts offer them", async (t) => {
  const { scalekit } = await everything(t);
  const offers = await listOffers(scalekit, "ada", NAMES);
  assert.equal(offers.length, CONNECTORS.flatMap((connector) => connector.tools).length);
  assert.deepEqual(unpinned(offers), []);
});

test("seen to fail: a definition that is not the reviewed one is named, with its hash", () => {
  const hash = "f".repeat(64);
  const told = unpinned([{ name: "gmail_get_profile", description: "", parameters: {}, hash }]);
  assert.match(told.join(), new RegExp(`read gmail_get_profile again.*${hash}`));
});

test("the environment's definitions are those of the user's accounts", async (t) => {
  const { scalekit } = await everything(t);
  const names = CONNECTORS.flatMap((connector) => connector.tools.map((tool) => tool.name));
  const catalogue = createCatalogue(scalekit);
  const [all, of] = [await catalogue.all(names), await catalogue.of("ada", NAMES, names)];
  assert.ok(all.ok && of.ok, JSON.stringify([all, of]));
  const sorted = (defined: typeof all.definitions): typeof all.definitions =>
    defined.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  assert.deepEqual(sorted(all.definitions), sorted(of.definitions));
  assert.equal(all.definitions.length, names.length);
  for (const { parts } of all.definitions) assert.match(`${parts.description} ${parts.parameters}`, /^\w{16} \w{16}$/);
});

test("what stands in the review, one line for each tool; one that only takes away or sets is not unsafe", () => {
  const all = [READ, IDEMPOTENT, UNSAFE].flatMap((pins) => Object.keys(pins));
  assert.equal(new Set(all).size, all.length, "no tool has two effects");
  for (const [hash] of Object.values({ ...READ, ...IDEMPOTENT, ...UNSAFE }).map((hashes) => [hashes].flat()))
    if (hash !== undefined) assert.match(hash, /^[0-9a-f]{64}$/);
  const reading = /_(?:get|list|fetch|search|query|lookup|auth_test)|_list$|_get$|_for_ref$/;
  for (const name of Object.keys(READ)) assert.match(name, reading);
  // Named one by one, so that a new one asks for a thought.
  assert.deepEqual(Object.keys(UNSAFE), [
    "github_issue_comment_create",
    "github_issue_create",
    "gmail_create_draft",
    "gmail_create_label",
    "gmail_reply_to_thread",
    "gmail_send_draft",
    "gmail_send_message",
    "googlecalendar_create_event",
    "slack_send_message",
    "slack_send_rich_message",
  ]);
});

test("no review of what was not reviewed", () => {
  for (const name of ["constructor", "__proto__", "toString", "", "gmail_made_up"])
    assert.equal(shippedReview(name), undefined);
});

test("nothing asked for is no question; an outage is told as one", async (t) => {
  const { emulator, scalekit } = await everything(t);
  const catalogue = createCatalogue(scalekit);
  assert.deepEqual(await catalogue.all([]), { ok: true, definitions: [] });
  assert.deepEqual(await catalogue.of("ada", NAMES, []), { ok: true, definitions: [] });
  assert.deepEqual(await catalogue.of("ada", [], ["gmail_get_profile"]), { ok: true, definitions: [] });
  assert.deepEqual([emulator.calls.count("ListTools"), emulator.calls.count("ListScopedTools")], [0, 0]);
  emulator.faults.add({ method: "ListTools", code: "Internal" });
  emulator.faults.add({ method: "ListScopedTools", code: "Internal" });
  assert.equal(why(await catalogue.all(["gmail_get_profile"])), "unavailable");
  assert.equal(why(await catalogue.of("ada", ["gmail"], ["gmail_get_profile"])), "unavailable");
});

test("which part of a definition has changed, and that switches of Scalekit's own are no part of it", async (t) => {
  const at = async (description: string, properties: object): Promise<string[]> => {
    const tool = {
      name: "odd_x",
      description,
      inputSchema: { type: "object", properties: { ...properties } },
      scopes: [],
    };
    const connector: Connector = {
      name: "odd",
      provider: "ODD",
      title: "odd",
      scopes: [],
      tools: [tool],
      open: () => ({ world: {}, run: async () => ({}), proxy: async () => ({ status: 501, json: {} }) }),
    };
    const { scalekit } = await start(t, { connections: [{ name: "odd", connector }] });
    const found = await createCatalogue(scalekit).all(["odd_x"]);
    assert.ok(found.ok, JSON.stringify(found));
    return found.definitions.flatMap(({ parts, hash }) => [parts.description, parts.parameters, hash]);
  };
  const [before, described, taking, versioned] = [
    await at("a", { q: {} }),
    await at("b", { q: {} }),
    await at("a", { q: {}, r: {} }),
    await at("a", { q: {}, tool_version: {}, schema_version: {} }),
  ];
  const same = (other: readonly string[]): boolean[] => before.map((part, i) => part === other[i]);
  assert.deepEqual(
    [same(described), same(taking)],
    [
      [false, true, false],
      [true, false, false],
    ],
  );
  assert.deepEqual(versioned, before);
});
