/** `errand doctor` against real services over the wire: all well, much wrong, a managed Redis, and what --live asks. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Check } from "../../src/index.ts";
import { httpError, say, startKruxosEmulator, startRedis } from "../../src/testing/index.ts";
import { errandCommand, errandHere, EXAMPLE } from "./command.ts";
import { services } from "./services.ts";

// The example's agent takes its model from the environment when it is loaded.
process.env["ERRAND_MODEL"] = "openai/scripted";

interface Told {
  readonly code: number | null;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** `name result`, of all that is not ok. */
  readonly notOk: readonly string[];
  found(name: string): string;
}

async function doctor(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  cwd: string = EXAMPLE,
): Promise<Told> {
  const { code, stdout, stderr } = await errandHere(["doctor", "--json", ...args], env, { cwd });
  assert.equal(stderr, "");
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
  assert.equal(code, ok ? 0 : 1);
  // The Node of this run is not what is tested.
  const notOk = checks.filter(({ name, result }) => result !== "ok" && name !== "Node");
  return {
    code,
    ok,
    checks,
    notOk: notOk.map(({ name, result }) => `${name} ${result}`),
    found: (name) => checks.find((check) => check.name === name)?.found ?? assert.fail(`no check ${name}`),
  };
}

test("all well: a process that says so, asks no model and executes nothing, and with --live asks each model once", async (t) => {
  const { scalekit, model, env } = await services(t, { script: () => say("ok") });
  const good = { ...env, ERRAND_BASE_URL: "https://app.example.com/errand" };
  const lines = errandCommand(t, ["doctor"], good).ended;
  const quiet = await doctor(good);
  assert.deepEqual(quiet.notOk, []);
  assert.equal(quiet.found("agent inbox-digest"), "openai/scripted, queue default, 2 tools of gmail");
  assert.match(quiet.found("connections"), /^1 in this environment, among them all 1 that agents name/);

  const { code, stdout, stderr } = await lines;
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^set-up\n.*Node: /);
  assert.match(stdout, /^redis\n {2}ok {7}reachable: 127\.0\.0\.1:\d+, \d+ ms$/m);
  assert.match(stdout, /\n\d+ ok, [01] warning, 0 failed, 0 skipped\n$/);
  assert.deepEqual(
    model.requests.map(({ path }) => path),
    ["/v1/models", "/v1/models"],
    "only its list was asked for",
  );
  assert.deepEqual([scalekit.ledger.length, scalekit.links.length, scalekit.accounts.length], [0, 0, 0]);

  const live = await doctor(good, ["--live"]);
  assert.deepEqual(live.notOk, ["accounts of a user skipped", "links skipped"]);
  assert.match(
    live.found("model openai/scripted"),
    /^scripted answered in \d+ ms \(\d+ tokens in, \d+ out\), and takes tools$/,
  );
  assert.match(live.found("default page of tools"), /^10 items, and there are more/);
  const asked = model.requests.filter(({ path }) => path.endsWith("/chat/completions"));
  assert.equal(asked.length, 1);
  assert.match(JSON.stringify(asked[0]?.body), /"max_completion_tokens":64/);
});

test("--live --identifier: what Scalekit tells of a user's accounts, ACTIVE or not, in both of its possible ways", async (t) => {
  for (const listToolsOfInactive of [false, true]) {
    const { scalekit, env } = await services(t, { script: () => say("ok"), scalekit: { listToolsOfInactive } });
    scalekit.connect("ada", "gmail");
    scalekit.setStatus("bob", "gmail", "EXPIRED");
    const [ada, bob] = [
      await doctor(env, ["--live", "--identifier", "ada"]),
      await doctor(env, ["--live", "--identifier", "bob"]),
    ];
    assert.match(ada.found("account at gmail"), /^ACTIVE, [1-9]\d* tools listed$/);
    assert.match(
      bob.found("account at gmail"),
      listToolsOfInactive ? /^EXPIRED, [1-9]\d* / : /^EXPIRED, 0 tools listed$/,
    );
    assert.match(bob.found("account at gmail, a call"), /^gmail_fetch_mails on EXPIRED: FailedPrecondition/);
    assert.match(ada.found("default page of a user's tools"), /^10 items, and there are more/);
    assert.equal(scalekit.ledger.length, 0, "no tool was executed");
  }
});

test("much is wrong: each is told, the rest is checked all the same, and no secret is said", async (t) => {
  const redis = await startRedis({
    password: "hush-redis",
    config: { appendonly: "no", "maxmemory-policy": "allkeys-lru", maxmemory: "100mb" },
  });
  t.after(() => redis.stop());
  const { model, env } = await services(t, {
    script: () => httpError(402, { message: "no credit left for the key test-key", code: "insufficient_quota" }),
    scalekit: { connections: ["slack"] },
  });
  const broken = {
    ...env,
    REDIS_URL: redis.url,
    SCALEKIT_CLIENT_SECRET: "hush-scalekit",
    ERRAND_BASE_URL: "http://app.example.com",
  };
  const bad = await doctor(broken, ["--live"]);
  assert.deepEqual(bad.notOk, [
    "appendonly failed",
    "appendfsync skipped",
    "maxmemory-policy failed",
    "credentials failed",
    "connections skipped",
    "tools skipped",
    "return URL failed",
    "model openai/scripted failed",
  ]);
  assert.match(
    bad.found("model openai/scripted"),
    /^HTTP 402 \(insufficient_quota.*\): no credit left for the key (?!test)/,
  );

  const names = await doctor({ ...env, ERRAND_BASE_URL: "http://127.0.0.1:3000" });
  assert.deepEqual(names.notOk, ["connections failed", "tools failed"]);
  assert.match(names.found("tools"), /"gmail_fetch_mails" of agent inbox-digest is unknown/);

  const gone = await doctor({
    ...env,
    REDIS_URL: redis.url.replace("hush-redis", "hush-wrong"),
    SCALEKIT_ENV_URL: "http://app.example.com",
    OPENAI_API_KEY: "hush-model",
    OPENAI_BASE_URL: model.url.replace(/:\d+/, ":1"),
  });
  assert.match(gone.found("reachable"), /refused our user name or password/);
  assert.match(gone.found("credentials"), /must not travel in clear text/);
  assert.match(gone.found("profile openai"), /^127\.0\.0\.1:1: no answer/);
  for (const { checks } of [bad, names, gone]) assert.ok(!/hush|test-key/.test(JSON.stringify(checks)), "no secret");
});

test("a managed Redis that refuses CONFIG and INFO, and a user that may not write: what is left to look at by hand", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const admin = new Redis(redis.url);
  const user = async (name: string, ...rules: string[]): Promise<string> => {
    await admin.acl("SETUSER", name, "on", ">pw", "~*", "&*", "+@all", ...rules);
    return redis.url.replace("//", `//${name}:pw@`);
  };
  const managed = await doctor({ REDIS_URL: await user("managed", "-config", "-info") }, [], tmpdir());
  const redisChecks = managed.checks.filter(({ area, result }) => area === "redis" && result !== "ok");
  assert.deepEqual(
    redisChecks.map(({ name, result }) => `${name} ${result}`),
    ["version", "appendonly", "appendfsync", "maxmemory-policy", "memory"].map((name) => `${name} skipped`),
  );
  for (const { todo } of redisChecks) assert.match(todo ?? "", /console|yourself/);
  assert.equal(managed.code, 0);

  const reader = await doctor({ REDIS_URL: await user("reader", "-set") }, [], tmpdir());
  assert.deepEqual(
    reader.checks.filter(({ result }) => result === "failed").map(({ name }) => name),
    ["scripts"],
  );
  assert.equal(reader.code, 1);
  admin.disconnect();
});

test("a config file that fails, or a broken environment, hides nothing else", async (t) => {
  const { env } = await services(t);
  const cwd = await folder(t, "export default 17;");
  const file = await doctor(env, [], cwd);
  assert.deepEqual(file.notOk, ["config failed", "return URL skipped"]);
  assert.match(file.found("config"), /errand\.config\.ts: expected `export default/);
  assert.match(file.found("credentials"), /^a token in/);

  const half = await doctor({ ...env, SCALEKIT_CLIENT_ID: "", OPENAI_BASE_URL: "ftp://x" }, [], tmpdir());
  assert.deepEqual(half.notOk, ["config failed", "credentials skipped", "return URL skipped", "profiles skipped"]);
  assert.match(half.found("config"), /OPENAI_BASE_URL: expected[^]*SCALEKIT_CLIENT_ID: missing/);
  assert.equal((await errandHere(["doctor", "--identifier", "ada"], env)).code, 2, "--identifier needs --live");
});

test("tools of other servers: names that are not there, two sources of one name, a server that is away", async (t) => {
  const { env } = await services(t);
  // Its first use takes long under tsx.
  await import("@modelcontextprotocol/client");
  const krux = await startKruxosEmulator();
  t.after(() => krux.close());
  const src = JSON.stringify(new URL("../../src/index.ts", import.meta.url).href);
  const cwd = await folder(
    t,
    `import { agent, kruxos, mcp, tool } from ${src};
    const krux = kruxos({ url: "${krux.url}", apiKey: "${krux.apiKey}" });
    const away = mcp({ name: "away", url: "http://127.0.0.1:65534/mcp" });
    const own = mcp({ name: "own", url: "http://127.0.0.1:65534/mcp", token: async () => "secret" });
    const list = tool({ name: "filesystem__list", description: "x", input: { type: "object" }, execute: () => 1 });
    const use = (name, tools) => agent({ name, model: "openai/scripted", instructions: "x", tools, input: SCHEMA });
    const SCHEMA = { "~standard": { version: 1, vendor: "x", validate: (value) => ({ value }), jsonSchema: { input: () => ({}), output: () => ({}) } } };
    export default { agents: [use("a", [krux.tool("filesystem.raed"), away.all(), own.all()]), use("b", [list, krux.all()])] };`,
  );
  const told = await doctor({ ...env, ERRAND_BASE_URL: "http://127.0.0.1:3000" }, [], cwd);
  assert.deepEqual(told.notOk, ["mcp:away failed", "mcp:own skipped", "kruxos failed", "names failed"]);
  assert.match(told.found("kruxos"), /^kruxos offers no tool "filesystem__raed".*"a" names. Did you mean/);
  assert.match(told.found("mcp:away"), /ECONNREFUSED/);
  assert.match(told.found("names"), /^agent "b" gets "filesystem__list" from kruxos and local/);
  assert.match(told.found("local"), /^all 1 tools/);
});

async function folder(t: TestContext, config: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "errand-doctor-"));
  t.after(() => rm(path, { recursive: true }));
  await writeFile(join(path, "package.json"), '{ "type": "module" }');
  await writeFile(join(path, "errand.config.ts"), config);
  return path;
}
