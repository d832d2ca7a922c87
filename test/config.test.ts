/** The environment as options. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { configFromEnv, defaultModel, type Environment } from "../src/config.ts";
import { ErrandError } from "../src/core/errors.ts";

const SCALEKIT = {
  SCALEKIT_ENV_URL: "https://app.scalekit.dev",
  SCALEKIT_CLIENT_ID: "skc_1",
  SCALEKIT_CLIENT_SECRET: "hush-1",
};

const WEBHOOK_SECRETS = ["new-", "old-"].map((word) => `whsec_${Buffer.from(word.repeat(6)).toString("base64")}`);

function problemsOf(env: Environment, read: (env: Environment) => unknown = configFromEnv): ErrandError {
  try {
    read(env);
  } catch (error) {
    assert.ok(error instanceof ErrandError);
    return error;
  }
  throw new Error("expected an ErrandError");
}

test("an empty environment is a Redis on this machine and nothing else; empty variables are unset ones", () => {
  const local = { redis: "redis://127.0.0.1:6379" };
  assert.deepEqual(configFromEnv({}), local);
  assert.deepEqual(configFromEnv({ REDIS_URL: "", SCALEKIT_CLIENT_ID: "", OPENAI_BASE_URL: "", LOG_LEVEL: "" }), local);
});

test("everything that is set becomes an option, ready to spread", () => {
  const { logger, ...options } = configFromEnv({
    ...SCALEKIT,
    REDIS_URL: "rediss://u:p@redis.example:6380/2",
    OPENAI_API_KEY: "sk-1",
    OPENAI_BASE_URL: "https://gateway.example/v1",
    ERRAND_PREFIX: "staging",
    ERRAND_BASE_URL: "https://app.example/errand",
    SCALEKIT_WEBHOOK_SECRET: ` ${WEBHOOK_SECRETS.join(" \n")}\n`,
    LOG_LEVEL: "DEBUG",
    HOME: "/root",
  });
  assert.deepEqual(options, {
    redis: "rediss://u:p@redis.example:6380/2",
    scalekit: { envUrl: "https://app.scalekit.dev", clientId: "skc_1", clientSecret: "hush-1" },
    models: { openai: { apiKey: "sk-1", baseURL: "https://gateway.example/v1" } },
    prefix: "staging",
    authorization: { baseUrl: "https://app.example/errand" },
    webhook: { secrets: WEBHOOK_SECRETS },
  });
  assert.equal(logger?.level, "debug");
});

test("OpenAI itself needs a key and no base URL", () => {
  assert.deepEqual(configFromEnv({ OPENAI_API_KEY: "sk-1" }).models, { openai: { apiKey: "sk-1" } });
});

test("OPENAI_PROTOCOL says how the model is spoken to: chat completions by default", () => {
  const models = (protocol: string): unknown =>
    configFromEnv({ OPENAI_API_KEY: "sk-1", OPENAI_PROTOCOL: protocol }).models?.["openai"];
  assert.deepEqual(models("chat"), { apiKey: "sk-1" });
  assert.deepEqual(models("responses"), { apiKey: "sk-1", protocol: "responses" });
  assert.match(
    problemsOf({ OPENAI_PROTOCOL: "soap" }).message,
    /OPENAI_PROTOCOL: expected chat, responses or messages\./,
  );
});

test("ANTHROPIC_API_KEY is a profile of its own, which speaks Anthropic's messages", () => {
  const env = { ANTHROPIC_API_KEY: "sk-ant-1", ANTHROPIC_BASE_URL: "https://gateway.example" };
  const anthropic = { protocol: "messages", apiKey: "sk-ant-1", baseURL: "https://gateway.example" };
  assert.deepEqual(configFromEnv(env).models, { anthropic });
  assert.deepEqual(configFromEnv({ ...env, OPENAI_API_KEY: "sk-1" }).models, { openai: { apiKey: "sk-1" }, anthropic });
  const { message } = problemsOf({ ANTHROPIC_BASE_URL: "https://gateway.example" });
  assert.match(message, /ANTHROPIC_API_KEY: missing, while ANTHROPIC_BASE_URL is set/);
});

test("both names of Scalekit's URL are known, also together when they say the same", () => {
  const { SCALEKIT_ENV_URL: url, ...rest } = SCALEKIT;
  assert.equal(configFromEnv({ ...rest, SCALEKIT_ENVIRONMENT_URL: url }).scalekit?.envUrl, url);
  assert.equal(configFromEnv({ ...SCALEKIT, SCALEKIT_ENVIRONMENT_URL: `${url}/` }).scalekit?.envUrl, url);
});

/** What is set, and the variables that the error must name: `missing` first. */
const HALF: readonly [set: readonly string[], missing: readonly string[]][] = [
  [["SCALEKIT_ENV_URL"], ["SCALEKIT_CLIENT_ID", "SCALEKIT_CLIENT_SECRET"]],
  [["SCALEKIT_CLIENT_ID"], ["SCALEKIT_ENV_URL", "SCALEKIT_CLIENT_SECRET"]],
  [["SCALEKIT_ENV_URL", "SCALEKIT_CLIENT_ID"], ["SCALEKIT_CLIENT_SECRET"]],
  [["SCALEKIT_CLIENT_ID", "SCALEKIT_CLIENT_SECRET"], ["SCALEKIT_ENV_URL"]],
];

for (const [set, missing] of HALF) {
  test(`with only ${set.join(" and ")} set, ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} missed`, () => {
    const env = Object.fromEntries(Object.entries(SCALEKIT).filter(([name]) => set.includes(name)));
    const error = problemsOf(env);
    assert.equal(error.code, "config-missing");
    assert.deepEqual(error.details["variables"], missing);
    for (const name of [...set, ...missing]) assert.match(error.message, new RegExp(name));
  });
}

test("a base URL without a key is half a model, too", () => {
  const error = problemsOf({ OPENAI_BASE_URL: "http://127.0.0.1:11434/v1" });
  assert.equal(error.code, "config-missing");
  assert.match(error.message, /OPENAI_API_KEY: missing, while OPENAI_BASE_URL is set/);
});

test("all problems are told at once, by variable, and no value is repeated", () => {
  const error = problemsOf({
    REDIS_URL: "http://hush-a",
    SCALEKIT_ENV_URL: "https://user:hush-b@app.scalekit.dev",
    SCALEKIT_CLIENT_SECRET: "hush c",
    OPENAI_API_KEY: "hush-d\u200b",
    OPENAI_BASE_URL: "hush-e",
    ERRAND_PREFIX: "hush f",
    ERRAND_BASE_URL: "ftp://hush-g",
    LOG_LEVEL: "hush-h",
  });
  assert.equal(error.code, "config-invalid");
  const named = error.details["variables"] as string[];
  const invalid = ["REDIS_URL", "SCALEKIT_ENV_URL", "SCALEKIT_CLIENT_SECRET", "OPENAI_API_KEY", "OPENAI_BASE_URL"];
  const all = [...invalid, "ERRAND_PREFIX", "ERRAND_BASE_URL", "LOG_LEVEL", "SCALEKIT_CLIENT_ID"];
  assert.deepEqual(named.toSorted(), all.toSorted());
  for (const name of named) assert.match(error.message, new RegExp(`^  ${name}: `, "m"));
  assert.doesNotMatch(error.message, /hush/);
});

test("two different URLs of Scalekit are refused", () => {
  const error = problemsOf({ ...SCALEKIT, SCALEKIT_ENVIRONMENT_URL: "https://other.scalekit.dev" });
  assert.equal(error.code, "config-invalid");
  assert.match(error.message, /SCALEKIT_ENVIRONMENT_URL: differs from SCALEKIT_ENV_URL/);
});

test("secrets may stand in files; a file that is not there, is empty or comes on top of a value is a problem", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "errand-config-"));
  t.after(() => rm(folder, { recursive: true }));
  const [key, empty] = [join(folder, "key"), join(folder, "empty")];
  await writeFile(key, "sk-from-file\n");
  await writeFile(empty, "\n");

  assert.equal(configFromEnv({ OPENAI_API_KEY_FILE: key }).models?.["openai"]?.apiKey, "sk-from-file");
  assert.match(problemsOf({ OPENAI_API_KEY_FILE: empty }).message, /OPENAI_API_KEY: .*OPENAI_API_KEY_FILE.* is empty/);
  assert.match(problemsOf({ OPENAI_API_KEY: "sk-1", OPENAI_API_KEY_FILE: key }).message, /keep one/);
  const gone = problemsOf({ REDIS_URL_FILE: join(folder, "hush") });
  assert.match(gone.message, /REDIS_URL: .*REDIS_URL_FILE.*\(ENOENT\)/);
  assert.doesNotMatch(gone.message, /hush/);
});

test("a webhook secret that would verify anything, or is none, is refused, and not shown", () => {
  const [good = ""] = WEBHOOK_SECRETS;
  for (const wrong of [
    "whsec_",
    "whsec_aHVzaA==",
    "hush-hush",
    " ",
    `${good} whsec_`,
    `${good} ${good} ${good}`,
    good.slice(6),
  ]) {
    const error = problemsOf({ SCALEKIT_WEBHOOK_SECRET: wrong });
    assert.deepEqual(error.details["variables"], ["SCALEKIT_WEBHOOK_SECRET"]);
    assert.doesNotMatch(error.message, /hush|aHVzaA/);
    assert.equal(error.message.includes(good.slice(6)), false);
  }
});

test("only the parts asked for are checked", () => {
  const env = { SCALEKIT_CLIENT_ID: "skc_1", REDIS_URL: "nonsense", ERRAND_PREFIX: "p" };
  assert.equal(configFromEnv(env, ["prefix"]).prefix, "p");
  assert.deepEqual(problemsOf(env, (given) => configFromEnv(given, ["redis"])).details["variables"], ["REDIS_URL"]);
});

test("ERRAND_MODEL is a profile and a model; there is no model by default", () => {
  assert.equal(defaultModel({ ERRAND_MODEL: "openai/vendor/m-1" }), "openai/vendor/m-1");
  const missing = problemsOf({}, defaultModel);
  assert.equal(missing.code, "config-missing");
  assert.match(missing.message, /ERRAND_MODEL: missing/);
  for (const wrong of ["m-1", "openai/", "/m-1", "open ai/m-1"])
    assert.equal(problemsOf({ ERRAND_MODEL: wrong }, defaultModel).code, "config-invalid");
});
