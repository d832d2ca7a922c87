/** `errand demo --live`, over the wire: the environment names the emulators where it would name the real services. */
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { clickThrough } from "../../src/cli/site.ts";
import { inboxDigestScript, sampleMails } from "../../src/testing/index.ts";
import { redisUrl } from "../support/store.ts";
import type { Started } from "../scripts/processes.ts";
import { errandCommand, errandHere } from "./command.ts";
import { services } from "./services.ts";

/** Keys of live demos that are under way or were left behind. */
async function demoKeys(): Promise<string[]> {
  const redis = new Redis(redisUrl());
  try {
    return await redis.keys("{errand-live-*");
  } finally {
    redis.disconnect();
  }
}

/** Resolves with all of its stdout so far once that matches. */
function printed({ child, ended }: Started, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (part: string) => {
      text += part;
      if (pattern.test(text)) resolve(text);
    });
    void ended.then((end) => reject(new Error(`It ended before it said ${pattern}: ${JSON.stringify(end)}`)));
  });
}

test("a real user's digest: the live lines, the link, the report, and nothing left; told to stop while it waits, as well", async (t) => {
  const connections = [{ name: "gmail-prod", connector: "gmail" }];
  const { scalekit, model, env } = await services(t, { script: inboxDigestScript(), scalekit: { connections } });
  scalekit.mailbox("ada", "gmail-prod").load(await sampleMails());
  const LIVE = ["demo", "--live", "--connection", "gmail-prod", "--identifier"];
  const [digest, stopped] = [
    errandCommand(t, [...LIVE, "ada"], env, tmpdir()),
    errandCommand(t, [...LIVE, "bob"], env, tmpdir()),
  ];
  const waits = printed(stopped, /→ bob: please connect/);
  const link = /→ ada: please connect gmail-prod, in a browser on this machine: (http:\S+)\n/;
  const [, url = ""] = link.exec(await printed(digest, link)) ?? [];
  assert.equal(model.requests.length, 0, "no token was spent while it waited");
  assert.ok(await clickThrough(url, (consent) => scalekit.approve(consent)));

  const end = await digest.ended;
  assert.equal(end.code, 0, end.stderr);
  const host = new URL(scalekit.url).host;
  for (const part of [
    new RegExp(`^Real Scalekit \\(${host}\\), real model \\(openai/scripted\\): this costs tokens\\.$`, "m"),
    /^ada +parked \(account\): gmail-prod not-connected; holds nothing$/m,
    /^ada +turn 1: asking the model$/m,
    /^ada +done$/m,
    /^ada's inbox: \d+ unread$/m,
    /^ada +\d turns +\d+ tool calls +[\d,]+ tokens +took [\d.]+ s, of it parked [\d.]+ s for gmail-prod$/m,
  ])
    assert.match(end.stdout, part);
  assert.deepEqual(new Set(scalekit.ledger.map(({ identifier }) => identifier)), new Set(["ada"]));

  await waits;
  stopped.child.kill("SIGINT");
  assert.equal((await stopped.ended).code, 130);
  await Promise.all([digest.gone(), stopped.gone()]);
  assert.deepEqual(await demoKeys(), []);
});

test("what is missing in the environment is named all at once, without a value of what is there", async () => {
  const live = (env: Readonly<Record<string, string>>): ReturnType<typeof errandHere> =>
    errandHere(["demo", "--live"], env, { cwd: tmpdir() });
  const nothing = await live({});
  assert.equal(nothing.code, 1);
  const variables = [
    "SCALEKIT_ENV_URL",
    "SCALEKIT_CLIENT_ID",
    "SCALEKIT_CLIENT_SECRET",
    "OPENAI_API_KEY",
    "ERRAND_MODEL",
  ];
  assert.deepEqual(
    [...nothing.stderr.matchAll(/^ {2}(\w+): missing/gm)].map(([, name]) => name),
    variables,
  );

  const other = await live({ ERRAND_MODEL: "anthropic/m", OPENAI_API_KEY: "hush-hush" });
  assert.deepEqual(
    [...other.stderr.matchAll(/^ {2}(\w+): missing/gm)].map(([, name]) => name),
    [...variables.slice(0, 3), "ANTHROPIC_API_KEY"],
    "the key of the model's own profile",
  );

  const some = await live({
    SCALEKIT_ENVIRONMENT_URL: "https://acme.scalekit.cloud",
    SCALEKIT_CLIENT_SECRET: "hush-hush",
    OPENAI_BASE_URL: "ftp://gateway",
    ERRAND_MODEL: "gpt",
  });
  assert.match(some.stderr, /^errand: config-invalid: environment:\n/);
  assert.deepEqual(
    [...some.stderr.matchAll(/^ {2}(\w+): (\w+)/gm)].map(([, name, word]) => `${name} ${word}`).toSorted(),
    ["ERRAND_MODEL expected", "OPENAI_API_KEY missing", "OPENAI_BASE_URL expected", "SCALEKIT_CLIENT_ID missing"],
  );
  assert.ok(!/hush|acme|gateway/.test(some.stderr), some.stderr);
});

test("wrong names and wrong use are told before anything is enqueued", async (t) => {
  const { scalekit, model, env } = await services(t);
  const live = (more: readonly string[], given = env): ReturnType<typeof errandHere> =>
    errandHere(["demo", ...more], given, { cwd: tmpdir() });
  const wrong = await live(["--live", "--connection", "gmial"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /connection-unknown: .*Did you mean "gmail"/);
  assert.match((await live(["--live", "--identifier", "a b"])).stderr, /identifier-invalid/);
  assert.match((await live(["--live"], { ...env, ERRAND_MODEL: "other/m" })).stderr, /no profile "other"/);
  assert.equal((await live(["--identifier", "ada"])).code, 2);
  assert.equal((await live(["--live", "--mbox", "x"])).code, 2);
  assert.deepEqual([scalekit.links.length, model.requests.length], [0, 0]);
  assert.deepEqual(await demoKeys(), []);
});
