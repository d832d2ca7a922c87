/** `tool()` and `toolVersions()`: what they take, what they refuse, and which version a run gets. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { z } from "zod";
import { agent } from "../../../src/core/agent.ts";
import type { FrozenTool } from "../../../src/core/run.ts";
import { freezeUses } from "../../../src/core/tool-use.ts";
import { createChecker } from "../../../src/tools/check.ts";
import { openLocal } from "../../../src/tools/local/source.ts";
import { tool } from "../../../src/tools/local/tool.ts";
import { chooseVariant, type LocalTool, toolVersions } from "../../../src/tools/local/variant.ts";
import { CALL, sourceOf } from "./support.ts";

const LIMITS = { timeoutMs: 1_000, signal: new AbortController().signal };
const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

function make(more: Record<string, unknown> = {}): LocalTool {
  return tool({
    name: "book",
    description: "Books a room.",
    input: z.object({ room: z.string(), seats: z.number().int().default(2) }),
    execute: (input) => input,
    ...more,
  });
}

async function frozen(made: LocalTool, identifier = "user_1"): Promise<FrozenTool> {
  const listed = await sourceOf(made).list({ identifier, connections: [], tools: [made] });
  const [first] = listed.ok ? listed.tools : [];
  assert.ok(first !== undefined, "it is listed");
  return first;
}

test("a tool is shown with the JSON Schema of its input, needs no account, and is unsafe until its code says otherwise", async () => {
  const shown = await frozen(make());
  assert.deepEqual(
    [shown.name, shown.description, shown.connection, shown.effect],
    ["book", "Books a room.", "", "unsafe"],
  );
  assert.deepEqual(Object.keys(shown.parameters["properties"] ?? {}), ["room", "seats"]);
  assert.deepEqual(shown.parameters["required"], ["room"]);
});

test("arguments are checked before the call, also by what JSON Schema cannot say; defaults are filled in for the tool", async () => {
  const made = make({
    input: z.object({ room: z.string().refine((it) => it !== "cellar", "is flooded"), seats: z.number().default(2) }),
  });
  const source = sourceOf(made);
  const shown = await frozen(made);
  assert.match(source.check(shown, { seats: 1 })[0] ?? "", /room/);
  assert.deepEqual(source.check(shown, { room: "cellar" }), ["room: is flooded"]);
  assert.deepEqual(source.check(shown, { room: "attic" }), []);
  const outcome = await source.send({ ...CALL, tool: "book", args: { room: "attic" } }, LIMITS);
  assert.deepEqual(outcome, { kind: "ok", data: { room: "attic", seats: 2 } });
});

test("what only an asynchronous schema can say is said when the tool runs, and the tool is not executed", async () => {
  const made = make({ input: z.object({ room: z.string().refine(async (it) => it !== "cellar", "is flooded") }) });
  const source = sourceOf(made);
  assert.deepEqual(source.check(await frozen(made), { room: "cellar" }), []);
  const outcome = await source.send({ ...CALL, tool: "book", args: { room: "cellar" } }, LIMITS);
  assert.equal(outcome.kind === "error" && outcome.type, "ValidationError");
});

test("whose account is used is never the caller's to say, unless the tool means something else by the name", async () => {
  const source = sourceOf(make());
  const shown = await frozen(make());
  for (const name of ["identifier", "user_id", "connected_account_id", "connectionName", "CONNECTOR", "account-id"])
    assert.match(source.check(shown, { room: "a", [name]: "victim" })[0] ?? "", /no parameter/, name);
  const book = make({ input: z.object({ identifier: z.string() }) });
  assert.deepEqual(sourceOf(book).check(await frozen(book), { identifier: "978-3" }), []);
});

const REFUSED: readonly [string, Record<string, unknown>, RegExp][] = [
  ["no name", { name: "" }, /name: expected 1 to 64/],
  ["a name with a dot", { name: "a.b" }, /name: expected/],
  ["a name of 65 characters", { name: "a".repeat(65) }, /name: expected/],
  ["no description", { description: " " }, /description: expected/],
  ["an input that is no object", { input: z.string() }, /expected an object at the root, got "string"/],
  ["an input that is a union", { input: z.union([z.object({}), z.string()]) }, /expected an object at the root/],
  ["an input that is nothing", { input: undefined }, /input: expected a schema/],
  ["an input that cannot be told", { input: z.object({ at: z.date() }) }, /cannot be told as JSON Schema/],
  ["no JSON Schema", { input: { type: "object", properties: { a: { type: "strin" } } } }, /no valid JSON Schema/],
  ["a strange effect", { effect: "write" }, /effect: expected composite or one of/],
  ["composite without uses", { effect: "composite" }, /uses: a composite tool/],
  ["retry of an unsafe tool", { retry: { attempts: 3 } }, /never run again by itself/],
  ["retry that is no number", { effect: "read", retry: { attempts: 0 } }, /retry: expected/],
  ["a time-out that no timer can hold", { timeout: 3_000_000_000 }, /timeout: expected .* to 3600000/],
  ["a time-out of nothing", { timeout: 0 }, /timeout: expected/],
  ["hosts that are no list", { hosts: "example.com" }, /hosts: expected/],
  ["an empty version", { version: "" }, /version: expected/],
  ["a misspelt option", { needApproval: true }, /there is no "needApproval"\. Did you mean "needsApproval"/],
  ["an approval that is no rule", { needsApproval: "yes" }, /needsApproval: expected true, false/],
  ["nothing to execute", { execute: undefined }, /execute: expected a function/],
];

for (const [what, more, message] of REFUSED)
  test(`refused where it is written: ${what}`, () => {
    assert.throws(
      () => make(more),
      (error: Error) => message.test(error.message) && "code" in error && error.code === "tool-invalid",
    );
  });

test("what a tool uses is frozen with it, and the model does not see it", () => {
  const inner = make({ name: "inner" });
  const outer = make({ name: "outer", effect: "composite", uses: ["gmail_send_message", inner] });
  const both = make({ name: "both", effect: "composite", uses: [outer, "gmail_fetch_mails"] });
  const { tools } = agent({
    name: "a",
    model: "m/x",
    instructions: "",
    input: z.object({}),
    tools: [both, "gmail_fetch_mails"],
  });
  assert.deepEqual(
    tools.map(({ name, hidden }) => [name, hidden ?? false]),
    [
      ["both", false],
      ["gmail_fetch_mails", false],
      ["outer", true],
      ["gmail_send_message", true],
      ["inner", true],
    ],
  );
});

test("effects as a run keeps them: composite is run again, keyed puts its key by itself", async () => {
  const composite = make({ effect: "composite", uses: ["x"] });
  const keyed = make({ effect: "keyed" });
  const [one] = freezeUses([await frozen(composite)], [composite], "tell");
  assert.deepEqual([one?.effect, one?.composite], ["idempotent", true]);
  const [two] = freezeUses([await frozen(keyed)], [keyed], "tell");
  assert.equal(two?.effect, "keyed");
});

test("two different tools of one name are refused, the same one in two agents is not", () => {
  const made = make();
  openLocal([made, { ...made, hidden: true }], createChecker());
  assert.throws(() => openLocal([made, make()], createChecker()), /two different tools called "book"/);
});

const v = (version: string, more: Record<string, unknown> = {}): LocalTool =>
  make({ version, execute: () => version, ...more });

test("a rollout takes its share of identifiers, the same ones each time, and more of them when the share is raised", () => {
  const who = Array.from({ length: 4_000 }, (_, i) => `user_${i}`);
  const takers = (share: number): string[] => {
    const { variants } = toolVersions([{ tool: v("2"), share }, v("1")]);
    return who.filter((it) => chooseVariant(variants, it, hash)?.version === "2");
  };
  const [tenth, half] = [takers(0.1), takers(0.5)];
  assert.ok(Math.abs(tenth.length - 400) < 80, `a tenth of 4,000: ${tenth.length}`);
  assert.ok(Math.abs(half.length - 2_000) < 150, `half of 4,000: ${half.length}`);
  assert.deepEqual(
    tenth.filter((it) => !half.includes(it)),
    [],
  );
  assert.deepEqual([takers(0).length, takers(1).length], [0, 4_000]);
});

test("named identifiers get their version whatever the share is", () => {
  const { variants } = toolVersions([{ tool: v("2"), identifiers: ["ada"] }, v("1")]);
  assert.deepEqual(
    ["ada", "bob"].map((it) => chooseVariant(variants, it, hash)?.version),
    ["2", "1"],
  );
});

test("a run calls the version that it began with; when that is gone it waits for it, and calls no other", async () => {
  const before = sourceOf(toolVersions([v("2"), { tool: v("1"), share: 0 }]));
  assert.deepEqual(await before.send({ ...CALL, tool: "book", args: { room: "a" }, version: "1" }, LIMITS), {
    kind: "ok",
    data: "1",
  });
  const after = sourceOf(v("2"));
  const outcome = await after.send({ ...CALL, tool: "book", args: { room: "a" }, version: "1" }, LIMITS);
  assert.equal(outcome.kind === "not-executed" && outcome.why, "version");
  assert.match(outcome.kind === "not-executed" ? outcome.message : "", /began with book version 1; this worker has 2/);
});

test("versions: without a name, twice, of another tool, or without one for everybody else are refused", () => {
  assert.throws(() => toolVersions([]), /at least one/);
  assert.throws(() => toolVersions([v("1"), make()]), /needs `version`/);
  assert.throws(() => toolVersions([v("1"), v("1")]), /given twice/);
  assert.throws(() => toolVersions([v("1", { needsApproval: true }), { tool: v("2"), share: 0.5 }]), {
    code: "tool-invalid",
    message: /needsApproval: the versions do not agree; say it of all/,
  });
  assert.throws(() => toolVersions([v("1"), v("2", { name: "other" })]), /versions of one tool/);
  assert.throws(() => toolVersions([{ tool: v("1"), share: 0.5 }]), /everybody else/);
  assert.throws(() => toolVersions([v("1"), { tool: v("2"), share: 7 }]), /share: expected/);
});
