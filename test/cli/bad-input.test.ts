/** What people get wrong, and what they are told: each with its exit code and one error, in words and as JSON. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { removeKeys, startRedis, startScalekitEmulator } from "../../src/testing/index.ts";
import { redisUrl, testPrefix } from "../support/store.ts";
import { errandCommand, errandHere } from "./command.ts";

const src = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

const CONFIG = `
import { agent, defineConfig } from ${src("index.ts")};
import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
const digest = agent({ name: "inbox-digest", model: "openai/m", instructions: "…", input: z.object({ query: z.string() }) });
export default defineConfig({ agents: [digest] });
`;

async function folder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "errand-cli-"));
  t.after(() => rm(path, { recursive: true }));
  for (const [name, text] of Object.entries({ "package.json": '{ "type": "module" }', ...files }))
    await writeFile(join(path, name), text);
  return path;
}

/** An address where nobody answers. */
async function closedPort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return `redis://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

interface Told {
  readonly error: { readonly code: string; readonly message: string };
}

/** Runs a command that must fail with 1, in words and as JSON alike. @returns the message */
async function refused(
  code: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { readonly cwd: string; readonly stdin?: string },
): Promise<string> {
  const words = await errandHere(args, env, options);
  const machine = await errandHere([...args, "--json"], env, options);
  for (const { code: exit, stdout } of [words, machine]) assert.deepEqual([exit, stdout], [1, ""]);
  const { error } = JSON.parse(machine.stderr) as Told;
  assert.equal(error.code, code);
  assert.equal(words.stderr, `errand: ${code}: ${error.message}\n`, "the message, and no stack");
  return error.message;
}

const ENQUEUE = ["enqueue", "inbox-digest", "--identifier", "user_1", "--input", '{"query":"q"}'];

test("no Redis, or one with another password: said by enqueue, show and worker, never with the password", async (t) => {
  const cwd = await folder(t, { "errand.config.ts": CONFIG });
  const redis = await startRedis({ password: "right" });
  t.after(() => redis.stop());
  const env = {
    SCALEKIT_ENV_URL: "http://127.0.0.1:1",
    SCALEKIT_CLIENT_ID: "i",
    SCALEKIT_CLIENT_SECRET: "s",
    OPENAI_API_KEY: "k",
  };
  const nobody = { ...env, REDIS_URL: await closedPort() };
  const wrong = { ...env, REDIS_URL: redis.url.replace("right", "hush") };

  const workers = [
    errandCommand(t, ["worker", "--json"], nobody, cwd).ended,
    errandHere(["worker", "--json"], { ...wrong, LOG_LEVEL: "silent" }, { cwd }),
  ];
  const port = new URL(nobody.REDIS_URL).port;
  for (const args of [ENQUEUE, ["show", "run_1"]]) {
    assert.match(await refused("redis-unavailable", args, nobody, { cwd }), new RegExp(`:${port}\\..*REDIS_URL`));
    const message = await refused("redis-auth", args, wrong, { cwd });
    assert.match(message, /refused our user name or password.*REDIS_URL/);
    assert.doesNotMatch(message, /hush/);
  }
  for (const [i, code] of ["redis-unavailable", "redis-auth"].entries()) {
    const end = await workers[i];
    assert.equal(end?.code, 1);
    assert.equal(end.stdout, "", "it never said that it is ready");
    assert.match(end.stderr, new RegExp(`^\\{"error":\\{"code":"${code}"`, "m"), "beside the lines of the log");
    assert.doesNotMatch(end.stderr, /hush/);
  }
});

test("a half-set or missing environment: the variables are named", async (t) => {
  const cwd = await folder(t, { "errand.config.ts": CONFIG });
  const half = { SCALEKIT_CLIENT_ID: "skc_1", SCALEKIT_CLIENT_SECRET: "hush" };
  for (const args of [["worker"], ENQUEUE, ["show", "run_1"]]) {
    const message = await refused("config-missing", args, half, { cwd });
    assert.match(message, /SCALEKIT_ENV_URL: missing, while SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET are set/);
    assert.doesNotMatch(message, /hush/);
  }
  const message = await refused("config-missing", ["worker"], {}, { cwd });
  for (const name of ["SCALEKIT_ENV_URL", "SCALEKIT_CLIENT_ID", "SCALEKIT_CLIENT_SECRET", "OPENAI_API_KEY"])
    assert.match(message, new RegExp(name));
});

test("a Scalekit that refuses the client secret: the worker never starts", async (t) => {
  const scalekit = await startScalekitEmulator();
  t.after(() => scalekit.close());
  const cwd = await folder(t, { "errand.config.ts": CONFIG });
  const prefix = testPrefix();
  t.after(() => removeKeys(redisUrl(), prefix));
  const env = {
    REDIS_URL: redisUrl(),
    ERRAND_PREFIX: prefix,
    SCALEKIT_ENV_URL: scalekit.url,
    SCALEKIT_CLIENT_ID: scalekit.clientId,
    SCALEKIT_CLIENT_SECRET: "hush",
    OPENAI_API_KEY: "k",
    LOG_LEVEL: "silent",
  };
  assert.match(await refused("scalekit-auth", ["worker"], env, { cwd }), /SCALEKIT_CLIENT_SECRET/);
});

test("an unknown agent, run, identifier or input: what was expected, what came, and close names", async (t) => {
  const cwd = await folder(t, {
    "errand.config.ts": CONFIG,
    "input.json": '{ "query": 5 }',
    "broken.json": '{ "query": hush }',
  });
  const prefix = testPrefix();
  t.after(() => removeKeys(redisUrl(), prefix));
  const env = { REDIS_URL: redisUrl(), ERRAND_PREFIX: prefix };
  const enqueue = (agent: string, identifier: string, ...args: string[]): string[] => [
    "enqueue",
    agent,
    "--identifier",
    identifier,
    ...args,
  ];
  const given = ["--input", '{"query":"q"}'];

  const cases: readonly (readonly [code: string, args: readonly string[], said: RegExp])[] = [
    [
      "agent-unknown",
      enqueue("inbox-digets", "u", ...given),
      /no agent "inbox-digets"\. Did you mean "inbox-digest"\?/,
    ],
    ["run-unknown", ["show", "run_nobody"], /no run "run_nobody"/],
    [
      "identifier-invalid",
      enqueue("inbox-digest", "user 1", ...given),
      /1 to 100 printable ASCII .* got 6 characters, among them U\+0020/,
    ],
    ["identifier-invalid", enqueue("inbox-digest", "zoë", ...given), /among them U\+00EB/],
    ["identifier-invalid", enqueue("inbox-digest", "", ...given), /got 0 characters/],
    ["identifier-invalid", enqueue("inbox-digest", "u".repeat(101), ...given), /got 101 characters/],
    ["input-invalid", enqueue("inbox-digest", "u"), /inbox-digest: the input does not fit its schema: query: /],
    ["input-invalid", enqueue("inbox-digest", "u", "--input-file", join(cwd, "input.json")), /query: .*string/],
    ["option-invalid", enqueue("inbox-digest", "u", "--input", "{query:1}"), /--input: expected JSON, .*single quotes/],
    ["option-invalid", enqueue("inbox-digest", "u", "--input", ""), /--input: expected JSON, got nothing/],
    ["option-invalid", enqueue("inbox-digest", "u", "--input-file", join(cwd, "none.json")), /none\.json \(ENOENT\)/],
    ["option-invalid", enqueue("inbox-digest", "u", "--priority", "1001", ...given), /-1000 to 1000, got 1001/],
  ];
  for (const [code, args, said] of cases) assert.match(await refused(code, args, env, { cwd }), said);

  const broken = await refused(
    "option-invalid",
    enqueue("inbox-digest", "u", "--input-file", join(cwd, "broken.json")),
    env,
    { cwd },
  );
  assert.doesNotMatch(broken, /hush/, "an input is not repeated");
  assert.match(
    await refused("input-invalid", enqueue("inbox-digest", "u", "--input", "-"), env, { cwd, stdin: "[]" }),
    /expected object/,
  );
});

test("no config file: where it was looked for, and what one looks like", async (t) => {
  const cwd = await folder(t, {});
  const message = await refused("config-missing", ENQUEUE, {}, { cwd });
  assert.ok(message.includes(cwd));
  assert.match(message, /defineConfig/);
  assert.match(await refused("config-missing", [...ENQUEUE, "--config", "x.ts"], {}, { cwd }), /no file .*x\.ts/);
});

const USAGE: readonly [args: readonly string[], said: RegExp][] = [
  [["wroker"], /unknown command 'wroker' \(Did you mean worker\?\)/],
  [["worker", "--concurency", "5"], /unknown option '--concurency' \(Did you mean --concurrency\?\)/],
  [["worker", "--concurrency", "0"], /--concurrency <n>.*at least 1/],
  [["worker", "extra"], /too many arguments/],
  [["enqueue", "a"], /'--identifier <id>' not specified/],
  [["enqueue", "--identifier", "u"], /missing required argument 'agent'/],
  [["enqueue", "a", "--identifier", "u", "--priority", "high"], /'high' is invalid.*whole number/],
  [["enqueue", "a", "--identifier", "u", "--timeout", "3"], /--timeout needs --wait/],
  [["enqueue", "a", "--identifier", "u", "--wait", "--timeout", "-3"], /positive number of seconds/],
  [["enqueue", "a", "--identifier", "u", "--input", "{}", "--input-file", "f"], /cannot be used with/],
  [["enqueue", "a", "--identifier", "u", "--input", "{}", "--prompt", "x"], /cannot be used with/],
  [["show"], /missing required argument 'run'/],
  [[], /expected a command/],
];

for (const [args, said] of USAGE) {
  test(`wrong usage is exit code 2: errand ${args.join(" ")}`, async () => {
    const machine = await errandHere([...args, "--json"], {});
    assert.deepEqual([machine.code, machine.stdout], [2, ""]);
    const { error } = JSON.parse(machine.stderr.trim().split("\n").at(-1) ?? "") as Told;
    assert.equal(error.code, "usage");
    assert.match(error.message, said);
    const words = await errandHere(args, {});
    assert.equal(words.code, 2);
    assert.match(words.stderr, args.length === 0 ? /Usage: errand/ : /^errand: /);
  });
}

test("--help and --version are no errors; help names the exit codes", async () => {
  for (const args of [["--help"], ["worker", "--help"], ["help", "enqueue"], ["--version"]]) {
    const { code, stdout, stderr } = await errandHere(args, {});
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    assert.match(stdout, args[0] === "--version" ? /^\d+\.\d+\.\d+\n$/ : /^Usage: errand/);
  }
  assert.match((await errandHere(["--help"], {})).stdout, /3 the run failed, expired or was cancelled/);
});

test("a bug shows its stack, an error of ours with --debug only", async (t) => {
  const boom = "z.any().transform(() => { throw new TypeError('boom'); })";
  const cwd = await folder(t, { "errand.config.ts": CONFIG.replace("z.object({ query: z.string() })", boom) });
  const env = { REDIS_URL: redisUrl() };
  const bug = await errandHere(ENQUEUE, env, { cwd });
  assert.equal(bug.code, 1);
  assert.match(bug.stderr, /^errand: internal: boom\nTypeError: boom\n\s+at .*errand\.config\.ts/);
  const machine = await errandHere([...ENQUEUE, "--json"], env, { cwd });
  assert.deepEqual((JSON.parse(machine.stderr) as Told).error, { code: "internal", message: "boom" });

  const ours = await errandHere(["show", "run_nobody", "--debug"], env, { cwd });
  assert.match(ours.stderr, /^errand: run-unknown: .*\nErrandError: .*\n\s+at /);
});
