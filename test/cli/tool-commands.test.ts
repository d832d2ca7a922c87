/** `errand tools list | show | run | lint` and `errand approvals`, on a Scalekit with tools of our own. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { ScalekitEmulator } from "../../src/testing/index.ts";
import { errandHere } from "./command.ts";
import { ARCHIVE, config, FIND, scalekitWith, stage, type Stage } from "./tools-stage.ts";

const src = JSON.stringify(new URL("../../src/index.ts", import.meta.url).href);

const CONFIG = `
import { tool, toolVersions } from ${src};
${config(
  `use("keeper", ["crm_find_contact", tidy, double, rates]), use("other", [{ name: "crm_find_contact", needsApproval: true }])`,
).replace(
  "export default",
  `
const tidy = tool({ name: "tidy", description: "Puts away whoever left the company.", effect: "composite",
  uses: ["crm_archive_contact"], input: z.object({ ids: z.array(z.string()).describe("ids of contacts") }),
  execute: async ({ ids }, { tools }) => {
    for (const contact_id of ids) await tools.execute({ tool: "crm_archive_contact", parameters: { contact_id } });
    return { away: ids.length };
  } });
const double = tool({ name: "double", description: "Doubles a number, exactly.", effect: "read", output: z.object({ n: z.number() }),
  input: z.object({ n: z.number().describe("the number") }), execute: ({ n }) => ({ n: 2 * n }) });
const v = (version, more = {}) => tool({ name: "rates", description: "Rates.", input_schema: { type: "object", properties: { user_id: {} } },
  implementation: () => version, version, ...more });
const rates = toolVersions([{ tool: v("2"), share: 0.25 }, v("1", { deprecated: "use 2" })]);
export default`,
)}`;

interface Here extends Stage {
  readonly emulator: ScalekitEmulator;
  readonly tools: (...args: string[]) => ReturnType<typeof errandHere>;
}

async function here(t: TestContext, text: string = CONFIG): Promise<Here> {
  const emulator = await scalekitWith(t, [FIND, ARCHIVE]);
  emulator.connect("ada", "crm");
  const made = await stage(t, text);
  const { url, clientId, clientSecret } = emulator;
  const env = {
    SCALEKIT_ENV_URL: url,
    SCALEKIT_CLIENT_ID: clientId,
    SCALEKIT_CLIENT_SECRET: clientSecret,
    REDIS_URL: "redis://127.0.0.1:1",
  };
  return { ...made, emulator, tools: (...args) => errandHere(["tools", ...args], env, { cwd: made.cwd }) };
}

test("list: from the code alone nobody is asked; with a user, what his accounts offer is in force", async (t) => {
  const { tools, emulator } = await here(t);
  const { code, stdout } = await tools("list");
  assert.equal(code, 0);
  const rows = stdout
    .trim()
    .split("\n")
    .map((row) => row.split(/ {2,}/));
  assert.deepEqual(rows, [
    ["TOOL", "SOURCE", "EFFECT", "VERSIONS", "APPROVAL", "AGENTS"],
    ["crm_archive_contact (hidden)", "scalekit", "unsaid", "keeper"],
    ["crm_find_contact", "scalekit", "unsaid", "asks", "keeper, other"],
    ["double", "local", "read", "keeper"],
    ["rates", "local", "unsafe", "2 (25 %), 1 (deprecated)", "keeper"],
    ["tidy", "local", "composite", "keeper"],
  ]);
  const offered = await tools("list", "--identifier", "ada", "--agent", "keeper", "--json");
  assert.equal(offered.code, 0, offered.stderr);
  const { tools: found } = JSON.parse(offered.stdout) as {
    tools: { name: string; effect: string; connection?: string }[];
  };
  assert.deepEqual(
    found.map(({ name, effect, connection }) => [name, effect, connection]),
    [
      ["crm_archive_contact", "unsafe", "crm"],
      ["crm_find_contact", "unsafe", "crm"],
      ["double", "read", undefined],
      ["rates", "unsafe", undefined],
      ["tidy", "composite", undefined],
    ],
  );
  assert.equal(emulator.ledger.length, 0, "nothing is executed");
});

test("list: what a user's accounts do not offer is missing, and the command fails", async (t) => {
  const { tools } = await here(t, CONFIG.replace("crm_find_contact", "crm_find_contct"));
  const { code, stdout } = await tools("list", "--identifier", "ada");
  assert.equal(code, 1);
  assert.match(stdout, /crm_find_contct +scalekit +missing/);
});

test("show: the definition, from the code or as a user's accounts offer it", async (t) => {
  const { tools } = await here(t);
  const local = await tools("show", "double");
  assert.match(local.stdout, /effect +read[\s\S]*Doubles a number[\s\S]*"n": \{/);
  const unknown = await tools("show", "crm_find_contact");
  assert.match(unknown.stderr, /known to its source/);
  const offered = await tools("show", "crm_find_contact", "--identifier", "ada", "--json");
  assert.equal((JSON.parse(offered.stdout) as { description: string }).description, "Finds a contact.");
  const wrong = await tools("show", "duble");
  assert.match(wrong.stderr, /tool-unknown.*Did you mean.*double/i);
});

test("run: what reads is called; what may change something wants --yes; calls within a tool are made as well", async (t) => {
  const { tools, emulator } = await here(t);
  const read = await tools("run", "double", "--identifier", "ada", "--input", '{"n":21}');
  assert.deepEqual([read.code, JSON.parse(read.stdout)], [0, { n: 42 }], read.stderr);
  const unsure = await tools("run", "tidy", "--identifier", "ada", "--input", '{"ids":["1","2"]}');
  assert.match(unsure.stderr, /option-invalid.*tidy is composite: it may change something.*--yes/);
  assert.equal(emulator.ledger.length, 0);
  const done = await tools("run", "tidy", "--identifier", "ada", "--input", '{"ids":["1","2"]}', "--yes", "--json");
  assert.deepEqual((JSON.parse(done.stdout) as { data: unknown }).data, { away: 2 }, done.stderr);
  assert.deepEqual(
    emulator.ledger.map(({ tool, identifier }) => [tool, identifier]),
    [
      ["crm_archive_contact", "ada"],
      ["crm_archive_contact", "ada"],
    ],
  );
});

test("run: a server that is away keeps nobody from another's tool, and one of its own from being called", async (t) => {
  const made = CONFIG.replace("double, rates]", "double, rates, away.all()]").replace(
    "const tidy",
    `import { mcp } from ${src};\nconst away = mcp({ name: "away", url: "http://127.0.0.1:65534/mcp" });\nconst tidy`,
  );
  const { tools, emulator } = await here(t, made);
  const read = await tools("run", "double", "--identifier", "ada", "--input", '{"n":21}');
  assert.deepEqual([read.code, read.stdout.trim()], [0, '{\n  "n": 42\n}'], read.stderr);
  const done = await tools("run", "tidy", "--identifier", "ada", "--input", '{"ids":["1"]}', "--yes");
  assert.equal(done.code, 0, done.stderr);
  assert.equal(emulator.ledger.length, 1);
  const gone = await tools("run", "search", "--identifier", "ada");
  assert.match(gone.stderr, /tools-unavailable: mcp:away: .*ECONNREFUSED/);
});

test("run: a provider that drops repeats is given a key here as well, a new one each time", async (t) => {
  const keyed = `{ name: "crm_archive_contact", effect: "keyed", key: "request_id" }`;
  const { tools, emulator } = await here(t, config(`use("keeper", [${keyed}])`));
  const run = (): ReturnType<typeof tools> =>
    tools("run", "crm_archive_contact", "--identifier", "ada", "--yes", "--input", '{"contact_id":"1"}');
  for (const { code, stderr } of [await run(), await run()]) assert.equal(code, 0, stderr);
  const keys = emulator.ledger.map(({ input }) => JSON.stringify(input["request_id"]));
  assert.equal(new Set(keys).size, 2, keys.join());
  for (const key of keys) assert.match(key, /^"[0-9a-f-]{36}"$/);
});

test("run: wrong arguments and unknown tools are told before anything is called; a failure is an exit code", async (t) => {
  const { tools, emulator } = await here(t);
  const wrong = await tools("run", "double", "--identifier", "ada", "--input", '{"n":"x"}');
  assert.match(wrong.stderr, /input-invalid.*n: must be number/);
  assert.match((await tools("run", "dubble", "--identifier", "ada")).stderr, /tool-unknown/);
  emulator.faults.add({
    method: "ExecuteTool",
    toolError: { status: 404, code: "NOT_FOUND", message: "no such contact" },
  });
  const failed = await tools(
    "run",
    "crm_archive_contact",
    "--identifier",
    "ada",
    "--input",
    '{"contact_id":"9"}',
    "--yes",
  );
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /error.*no such contact/);
});

test("lint: what makes tools hard to use, by name", async (t) => {
  const { tools } = await here(t);
  const { code, stdout } = await tools("lint", "--json");
  assert.equal(code, 0);
  const { findings } = JSON.parse(stdout) as { findings: { tool: string; rule: string }[] };
  assert.deepEqual([...new Set(findings.map(({ tool, rule }) => `${tool} ${rule}`))].toSorted(), [
    "rates deprecated",
    "rates description-short",
    "rates effect-unsaid",
    "rates output-missing",
    "rates parameter-address",
    "rates parameter-undescribed",
    "rates parameter-untyped",
    "tidy output-missing",
  ]);
});
