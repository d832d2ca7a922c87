/** errand.config.ts: found, loaded, completed; and what is said when that fails. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadConfig, type LoadedConfig, type LoadOptions } from "../src/config-file.ts";
import { ErrandError } from "../src/core/errors.ts";

const src = (path: string): string => JSON.stringify(new URL(`../src/${path}`, import.meta.url).href);

const AGENT = `
import { agent } from ${src("core/agent.ts")};
import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
export const greeter = agent({ name: "greeter", model: "openai/m", instructions: "Greet.", input: z.object({}) });
`;

/** A folder with these files, by relative path, that goes with the test. An ES module package unless it brings a package.json. */
async function folder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "errand-config-")));
  t.after(() => rm(root, { recursive: true }));
  for (const [path, text] of Object.entries({ "package.json": '{ "type": "module" }', ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

/** The environment of the machine that runs the tests plays no part. */
const load = (options: LoadOptions): Promise<LoadedConfig> => loadConfig({ env: {}, ...options });

async function refusal(options: LoadOptions): Promise<ErrandError> {
  const error = await load(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ErrandError, String(error));
  return error;
}

const names = ({ options }: LoadedConfig): string[] => options.agents.map(({ name }) => name);

for (const name of ["errand.config.ts", "errand.config.mts", "errand.config.js", "errand.config.mjs"]) {
  test(`${name} is found from a folder below it`, async (t) => {
    const root = await folder(t, { [name]: `${AGENT} export default { agents: [greeter] };`, "a/b/c.txt": "" });
    const loaded = await load({ cwd: join(root, "a/b") });
    assert.equal(loaded.path, join(root, name));
    assert.deepEqual(names(loaded), ["greeter"]);
  });
}

test("--config names any file, also one in a CommonJS folder, whose default export is a double one", async (t) => {
  const root = await folder(t, {
    "package.json": '{ "type": "commonjs" }',
    "agents.ts": AGENT,
    "conf/my.ts": `import { greeter } from "../agents"; export default { agents: [greeter], prefix: "p" as string };`,
  });
  const loaded = await load({ cwd: root, file: "conf/my.ts" });
  assert.deepEqual(names(loaded), ["greeter"]);
  assert.equal(loaded.options.prefix, "p");
});

test("a function may return the config, later", async (t) => {
  const root = await folder(t, { "errand.config.ts": `${AGENT} export default async () => ({ agents: [greeter] });` });
  assert.deepEqual(names(await load({ cwd: root })), ["greeter"]);
});

test("what the file leaves out comes from the environment, and what it gives is not even checked there", async (t) => {
  const text = `${AGENT} export default { agents: [greeter], redis: "redis://here", scalekit: { envUrl: "u", clientId: "i", clientSecret: "s" } };`;
  const root = await folder(t, { "errand.config.ts": text });
  const env = { REDIS_URL: "nonsense", SCALEKIT_CLIENT_ID: "half", OPENAI_API_KEY: "sk-1", ERRAND_PREFIX: "p" };
  const { options } = await load({ cwd: root, env });
  assert.equal(options.redis, "redis://here");
  assert.equal(options.scalekit?.clientId, "i");
  assert.deepEqual(options.models, { openai: { apiKey: "sk-1" } });
  assert.equal(options.prefix, "p");
  assert.equal(options.logger, undefined);
});

test("a .env beside the file is read, and the environment wins over it", async (t) => {
  const root = await folder(t, {
    "errand.config.ts": `${AGENT} export default () => ({ agents: [greeter], prefix: process.env["ERRAND_TEST_DOT_ENV"] });`,
    ".env": "ERRAND_TEST_DOT_ENV=from-file\nREDIS_URL=redis://from-file\n",
  });
  const before = process.env["REDIS_URL"];
  t.after(() => {
    delete process.env["ERRAND_TEST_DOT_ENV"];
    if (before === undefined) delete process.env["REDIS_URL"];
  });
  process.env["REDIS_URL"] ??= "redis://127.0.0.1:1";
  const { options } = await loadConfig({ cwd: root });
  assert.equal(options.prefix, "from-file");
  assert.equal(options.redis, process.env["REDIS_URL"]);
});

const REVIEWED = { version: 1, tools: { x_do: { hash: "0".repeat(64), effect: "read", reviewed: true } } };

test("errand.tools.json beside the file is its manifest, unless it gives one itself; one elsewhere is not read", async (t) => {
  const text = `${AGENT} export default { agents: [greeter] };`;
  const root = await folder(t, {
    "errand.config.ts": text,
    "errand.tools.json": JSON.stringify(REVIEWED),
    "other.ts": `${AGENT} export default { agents: [greeter], manifest: { version: 1, tools: {} } };`,
    "a/errand.tools.json": "not read",
    "b/errand.config.ts": text,
  });
  const found = await load({ cwd: join(root, "a") });
  assert.deepEqual([found.options.manifest, found.manifestPath], [REVIEWED, join(root, "errand.tools.json")]);
  const own = await load({ cwd: root, file: "other.ts" });
  assert.deepEqual([own.options.manifest, own.manifestPath], [{ version: 1, tools: {} }, undefined]);
  const none = await load({ cwd: join(root, "b") });
  assert.deepEqual([none.options.manifest, none.manifestPath], [undefined, join(root, "b/errand.tools.json")]);
});

test("an errand.tools.json that cannot be used: its path, and what is wrong", async (t) => {
  const text = `${AGENT} export default { agents: [greeter] };`;
  const root = await folder(t, { "errand.config.ts": text, "errand.tools.json": '{ "version": 1, "tools": [] }' });
  const { code, message } = await refusal({ cwd: root });
  assert.equal(code, "config-invalid");
  assert.equal(message.startsWith(`${join(root, "errand.tools.json")}: tools: expected`), true, message);
  await rm(join(root, "errand.tools.json"));
  await mkdir(join(root, "errand.tools.json"));
  assert.match((await refusal({ cwd: root })).message, /errand\.tools\.json: cannot be read: EISDIR/);
});

test("the log level: of the caller, unless LOG_LEVEL says", async (t) => {
  const root = await folder(t, { "errand.config.ts": `${AGENT} export default { agents: [greeter] };` });
  assert.equal((await load({ cwd: root, logLevel: "info" })).options.logger?.level, "info");
  assert.equal(
    (await load({ cwd: root, logLevel: "info", env: { LOG_LEVEL: "error" } })).options.logger?.level,
    "error",
  );
});

test("none found: says where it looked and shows one; who can do without gets no agents", async (t) => {
  const root = await folder(t, { "a/b.txt": "" });
  const error = await refusal({ cwd: join(root, "a") });
  assert.equal(error.code, "config-missing");
  for (const looked of [join(root, "a"), root, dirname(root)]) assert.ok(error.message.includes(`${looked},`), looked);
  assert.match(error.message, /export default defineConfig\(\{ agents: \[greeter\] \}\)/);

  const loaded = await load({ cwd: root, optional: true, env: { ERRAND_PREFIX: "p" } });
  assert.equal(loaded.path, undefined);
  assert.deepEqual(loaded.options, { redis: "redis://127.0.0.1:6379", prefix: "p", agents: [] });
});

test("a file that is named must be there, even for who can do without", async (t) => {
  const root = await folder(t, {});
  const error = await refusal({ cwd: root, file: "other.config.ts", optional: true });
  assert.equal(error.code, "config-missing");
  assert.ok(error.message.includes(join(root, "other.config.ts")));
});

test("a file that throws: its path and the user's own stack, without ours", async (t) => {
  const root = await folder(t, {
    "errand.config.ts": 'import { boom } from "./boom.ts";\nboom();\nexport default {};',
    "boom.ts": 'export const boom = (): never => {\n  throw new TypeError("no such thing");\n};',
  });
  const error = await refusal({ cwd: root });
  assert.equal(error.code, "config-invalid");
  assert.match(error.message, /errand\.config\.ts failed while it was loaded:\nTypeError: no such thing\n/);
  assert.match(error.message, /at boom \(.*boom\.ts:2:9\)/);
  assert.match(error.message, /errand\.config\.ts:2:1/);
  assert.doesNotMatch(error.message, /node:internal|src\/config-file/);
});

test("a file with a slip of the pen: where it is", async (t) => {
  const root = await folder(t, { "errand.config.ts": "export default {\n  agents: [,\n" });
  assert.match((await refusal({ cwd: root })).message, /errand\.config\.ts:3:/);
});

test("what Errand itself refuses in the file keeps its code, with the path and no stack", async (t) => {
  const root = await folder(t, { "errand.config.ts": AGENT.replace('"openai/m"', '"m"') });
  const error = await refusal({ cwd: root });
  assert.equal(error.code, "agent-invalid");
  assert.match(error.message, /errand\.config\.ts: agent "greeter": model: expected/);
  assert.doesNotMatch(error.message, /\n\s+at /);
});

const WRONG: readonly [what: string, text: string, said: RegExp][] = [
  ["no default export", "export const agents = [];", /got no default export/],
  ["no agents", "export default { redis: 'redis://x' };", /agents: expected at least one .*, got undefined/],
  ["an empty list", "export default { agents: [] };", /got an empty list/],
  ["something else as an agent", "export default { agents: [{ name: 'x' }] };", /agents\[0\]: expected what agent\(/],
];

for (const [what, text, said] of WRONG) {
  test(`a file with ${what} is refused`, async (t) => {
    const error = await refusal({ cwd: await folder(t, { "errand.config.ts": text }) });
    assert.equal(error.code, "config-invalid");
    assert.match(error.message, said);
  });
}

test("what a worker needs is missed by variable, all at once", async (t) => {
  const root = await folder(t, { "errand.config.ts": `${AGENT} export default { agents: [greeter] };` });
  const error = await refusal({ cwd: root, needs: ["scalekit", "models"] });
  assert.equal(error.code, "config-missing");
  for (const name of ["SCALEKIT_ENV_URL", "SCALEKIT_CLIENT_ID", "SCALEKIT_CLIENT_SECRET", "OPENAI_API_KEY"])
    assert.match(error.message, new RegExp(name));
  const { message } = await refusal({ cwd: root, needs: ["scalekit", "models"], env: { OPENAI_API_KEY: "sk" } });
  assert.doesNotMatch(message, /OPENAI/);
});
