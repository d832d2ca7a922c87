/** What follows from what was gathered: a healthy set-up, and from it one fact changed at a time, with the one check that must change. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { agent, type Agent } from "../../src/core/agent.ts";
import { type CheckResult, isAtLeast } from "../../src/core/doctor/check.ts";
import { diagnose, type Facts } from "../../src/core/doctor/diagnose.ts";
import type { RedisFacts } from "../../src/core/doctor/redis.ts";
import type { ScalekitLooked } from "../../src/core/doctor/scalekit.ts";

const input = z.object({});
const digest = agent({
  name: "digest",
  model: "openai/m1",
  instructions: "…",
  input,
  connections: ["gmail"],
  tools: ["gmail_fetch_mails"],
});

const REDIS: RedisFacts = {
  where: "127.0.0.1:6379",
  tookMs: 0.4,
  info: {
    redis_version: "7.2.4",
    aof_enabled: "1",
    aof_last_write_status: "ok",
    used_memory: "1000000",
    maxmemory: "0",
    maxmemory_policy: "noeviction",
    connected_slaves: "0",
  },
  config: { appendonly: "yes", appendfsync: "everysec", "maxmemory-policy": "noeviction" },
  skewMs: 3,
  skewErrorMs: 0.2,
};

type Reached = Extract<ScalekitLooked, { is: "asked" }>;
const SCALEKIT: Reached = {
  is: "asked",
  envUrl: "https://acme.scalekit.cloud",
  token: { ok: true, value: true, tookMs: 80 },
  connections: { ok: true, value: ["gmail", "slack"], tookMs: 90 },
  tools: { ok: true, value: ["gmail_fetch_mails", "gmail_send_message"], tookMs: 90 },
};

const HEALTHY: Facts = {
  setUp: {
    node: "22.20.0",
    bullmq: "6.7.0",
    path: "/app/errand.config.ts",
    problems: [],
    agents: [digest],
    profiles: ["openai"],
  },
  redis: REDIS,
  scalekit: { looked: SCALEKIT, agents: [digest], baseUrl: "https://app.example.com/errand" },
  models: [
    {
      profile: "openai",
      host: "api.openai.com",
      wanted: ["m1"],
      listing: { is: "answered", status: 200, tookMs: 40, models: ["m1", "m2"] },
    },
  ],
};

const redis = (change: Partial<RedisFacts>): Facts => ({ ...HEALTHY, redis: { ...REDIS, ...change } });
const info = (change: Readonly<Record<string, string>>): Facts => redis({ info: { ...REDIS.info, ...change } });
const config = (change: Readonly<Record<string, string>>): Facts => redis({ config: { ...REDIS.config, ...change } });
const setUp = (change: Partial<Facts["setUp"]>): Facts => ({ ...HEALTHY, setUp: { ...HEALTHY.setUp, ...change } });
const scalekit = (change: Partial<Reached>): Facts => ({
  ...HEALTHY,
  scalekit: { ...HEALTHY.scalekit, looked: { ...SCALEKIT, ...change } },
});
const baseUrl = (url: string): Facts => ({ ...HEALTHY, scalekit: { ...HEALTHY.scalekit, baseUrl: url } });
const agents = (...all: readonly Agent[]): Facts => ({
  ...setUp({ agents: all }),
  scalekit: { ...HEALTHY.scalekit, agents: all },
});
const listing = (change: Facts["models"][number]["listing"]): Facts => ({
  ...HEALTHY,
  models: HEALTHY.models.map((model) => ({ ...model, listing: change })),
});
/** As managed services have it. */
function withoutConfig(change: Readonly<Record<string, string>> = {}): Facts {
  const { config: _, ...rest } = REDIS;
  return { ...HEALTHY, redis: { ...rest, info: { ...REDIS.info, ...change } } };
}

test("a healthy set-up has nothing to do", () => {
  const checks = diagnose(HEALTHY);
  assert.ok(checks.length > 12, `${checks.length} checks`);
  const others = checks.filter(({ result, todo }) => result !== "ok" || todo !== undefined);
  assert.deepEqual(others, []);
});

type Row = readonly [what: string, facts: Facts, check: string, result: CheckResult, told: RegExp];

const ROWS: readonly Row[] = [
  ["Node 18", setUp({ node: "18.20.0" }), "Node", "failed", /Node 22 or newer/],
  ["Node 20.18", setUp({ node: "20.18.9" }), "Node", "failed", /20\.19 is the oldest/],
  ["Node 20.19", setUp({ node: "20.19.0" }), "Node", "warning", /move to Node 22/],
  ["an old BullMQ", setUp({ bullmq: "6.3.2" }), "BullMQ", "failed", /6\.3\.3 or newer/],
  [
    "a config that cannot be loaded",
    setUp({ problems: ["agents: expected …"] }),
    "config",
    "failed",
    /^agents: expected/,
  ],
  ["two agents of one name", agents(digest, digest), "agent digest", "failed", /Rename one/],
  [
    "tools without a connection",
    agents(agent({ name: "lost", model: "openai/m1", instructions: "…", input, tools: ["gmail_fetch_mails"] })),
    "agent lost",
    "failed",
    /`connections`/,
  ],
  ["a profile that is not there", setUp({ profiles: ["openia"] }), "agent digest", "failed", /Did you mean "openia"/],

  ["no Redis", { ...HEALTHY, redis: { problem: "No Redis answers at x:1." } }, "reachable", "failed", /REDIS_URL/],
  ["Redis 6.2", info({ redis_version: "6.2.14" }), "version", "failed", /7\.0 or newer, or Valkey/],
  ["Redis 10", info({ redis_version: "10.0.0" }), "version", "ok", /Redis 10/],
  ["Valkey, which says 7.2 for Redis", info({ valkey_version: "8.1.0" }), "version", "ok", /Valkey 8\.1\.0/],
  ["no INFO", redis({ info: {} }), "version", "skipped", /See yourself/],
  ["no append-only file", config({ appendonly: "no" }), "appendonly", "failed", /CONFIG SET appendonly yes/],
  ["a full disk", info({ aof_last_write_status: "err" }), "appendonly", "failed", /disk/],
  ["no CONFIG, but INFO tells of it", withoutConfig(), "appendonly", "ok", /yes/],
  ["no CONFIG, and no file by INFO", withoutConfig({ aof_enabled: "0" }), "appendonly", "skipped", /console/],
  ["no CONFIG: how it is written", withoutConfig(), "appendfsync", "skipped", /everysec or always/],
  [
    "no CONFIG: eviction by INFO",
    withoutConfig({ maxmemory_policy: "allkeys-lru" }),
    "maxmemory-policy",
    "failed",
    /noevic/,
  ],
  ["appendfsync always", config({ appendfsync: "always" }), "appendfsync", "ok", /loses nothing/],
  ["appendfsync no", config({ appendfsync: "no" }), "appendfsync", "warning", /everysec/],
  [
    "eviction of what expires",
    config({ "maxmemory-policy": "volatile-ttl" }),
    "maxmemory-policy",
    "failed",
    /deletes runs/,
  ],
  ["memory at 74 %", info({ used_memory: "74", maxmemory: "100" }), "memory", "ok", /74 %/],
  ["memory at 75 %", info({ used_memory: "75", maxmemory: "100" }), "memory", "warning", /keepMs/],
  ["memory at 95 %", info({ used_memory: "95", maxmemory: "100" }), "memory", "failed", /refuses new runs/],
  ["a clock 1 s off", redis({ skewMs: -1_000 }), "clock", "ok", /1000 ms ahead of Redis/],
  ["a clock 2 s off", redis({ skewMs: 2_000 }), "clock", "warning", /2000 ms behind Redis.*NTP/],
  ["a clock 6 s off", redis({ skewMs: -6_000 }), "clock", "failed", /NTP/],
  ["a slow answer, which excuses", redis({ skewMs: 5_900, skewErrorMs: 5_000 }), "clock", "ok", /5900 ms/],
  [
    "a replica",
    redis({ refused: "READONLY You can't write against a read only replica." }),
    "scripts",
    "failed",
    /primary/,
  ],
  ["a full Redis", redis({ refused: "OOM command not allowed" }), "scripts", "failed", /more memory/],
  ["an ACL", redis({ refused: "NOPERM this user has no permissions" }), "scripts", "failed", /your prefix/],
  ["a cluster", redis({ refused: "MOVED 1234 10.0.0.1:6379" }), "scripts", "failed", /no cluster/],
  ["replicas", info({ connected_slaves: "1" }), "replication", "warning", /failover may lose/],

  [
    "a path in the URL",
    scalekit({ envUrl: "https://acme.scalekit.cloud/api" }),
    "environment",
    "warning",
    /Leave the path/,
  ],
  [
    "a wrong secret",
    scalekit({ token: { ok: false, why: "credentials", message: "refused" } }),
    "credentials",
    "failed",
    /Compare SCALEKIT_CLIENT_ID/,
  ],
  [
    "no way to Scalekit",
    scalekit({ token: { ok: false, why: "unavailable", message: "ENOTFOUND" } }),
    "credentials",
    "failed",
    /SCALEKIT_ENV_URL.*DNS/,
  ],
  [
    "no gRPC",
    scalekit({ connections: { ok: false, why: "unavailable", message: "HTTP 502" } }),
    "connections",
    "failed",
    /HTTP\/2/,
  ],
  [
    "a connection of another environment",
    scalekit({ connections: { ok: true, value: ["gmail-prod"], tookMs: 1 } }),
    "connections",
    "failed",
    /"gmail" of agent digest is unknown\. Did you mean "gmail-prod"/,
  ],
  [
    "a tool's name from a sample",
    scalekit({ tools: { ok: true, value: ["gmail_fetch_emails"], tookMs: 1 } }),
    "tools",
    "failed",
    /Did you mean "gmail_fetch_emails"/,
  ],
  ["http to the world", baseUrl("http://app.example.com/errand"), "return URL", "failed", /https/],
  ["http to oneself", baseUrl("http://localhost:3000/errand"), "return URL", "ok", /development/],
  ["http to a name that only begins so", baseUrl("http://localhost.example.com/"), "return URL", "failed", /https/],
  ["a query", baseUrl("https://app.example.com/errand?x=1"), "return URL", "failed", /without query/],

  ["a refused key", listing({ is: "answered", status: 401, tookMs: 1 }), "profile openai", "failed", /refuses the key/],
  ["a tired provider", listing({ is: "answered", status: 503, tookMs: 1 }), "profile openai", "warning", /503/],
  [
    "a gateway without a list",
    listing({ is: "answered", status: 404, tookMs: 1 }),
    "profile openai",
    "ok",
    /--live asks/,
  ],
  [
    "nobody there",
    listing({ is: "unreached", message: "no answer (ENOTFOUND)" }),
    "profile openai",
    "failed",
    /base URL/,
  ],
  [
    "a model that is not listed",
    listing({ is: "answered", status: 200, tookMs: 1, models: ["m11"] }),
    "model openai/m1",
    "warning",
    /Did you mean "m11"/,
  ],
];

for (const [what, facts, name, result, told] of ROWS)
  test(`${what}: ${name} is ${result}`, () => {
    const [check, ...others] = diagnose(facts).filter((one) => one.name === name);
    assert.deepEqual(others, []);
    assert.equal(check?.result, result);
    assert.match(`${check?.found} ${check?.todo ?? ""}`, told);
    const alsoChanged = diagnose(facts).filter((one) => one.result === "failed" && one.name !== name);
    const excused = name === "credentials" || what === "no CONFIG: eviction by INFO" ? [] : alsoChanged;
    assert.deepEqual(excused, [], "nothing else fails by it");
  });

test("Scalekit and models that are not configured fail an app with agents, and are skipped without", () => {
  const absent: ScalekitLooked = { is: "absent" };
  const { profiles: _, ...bare } = HEALTHY.setUp;
  const some = diagnose({ ...HEALTHY, setUp: bare, scalekit: { looked: absent, agents: [digest] }, models: [] });
  assert.deepEqual(
    some.filter(({ result }) => result === "failed").map(({ name }) => name),
    ["agent digest", "credentials"],
  );
  const none = diagnose({
    ...HEALTHY,
    setUp: { ...bare, agents: [] },
    scalekit: { looked: absent, agents: [] },
    models: [],
  });
  assert.deepEqual(
    none.filter(({ result }) => result !== "ok").map(({ name, result }) => `${name} ${result}`),
    ["credentials skipped", "return URL skipped", "profiles skipped"],
  );
});

test("a trial of a model: who answered and what it took, or what to do about each class of failure", () => {
  const answered = {
    kind: "answer",
    verbatim: {},
    text: "ok",
    calls: [],
    finish: "stop",
    usage: { input: 12, output: 2, cachedInput: 0, reasoning: 0 },
    servedModel: "m1-2026",
    requestId: "r",
    tookMs: 431,
  } as const;
  const trial = { profile: "openai", model: "m1", withTool: true, reply: answered };
  const [seen] = diagnose({ ...HEALTHY, trials: [trial] }).filter(({ area }) => area === "live");
  assert.equal(seen?.result, "ok");
  assert.match(seen?.found ?? "", /^m1-2026 answered in 431 ms \(12 tokens in, 2 out\), and takes tools$/);
  for (const kind of ["retry", "rate-limit", "billing", "credentials", "context", "invalid"] as const) {
    const reply = { kind: "failure", class: kind, message: `HTTP (${kind})` } as const;
    const [check] = diagnose({ ...HEALTHY, trials: [{ ...trial, reply }] }).filter(({ area }) => area === "live");
    assert.deepEqual([check?.result, check?.found, check?.todo !== undefined], ["failed", `HTTP (${kind})`, true]);
  }
});

test("versions are compared by their numbers", () => {
  const yes = ["7.0.15 7.0", "7 7.0", "6.10.0 6.9", "6.3.3 6.3.3", "v22.1.0 22"];
  const found = [...yes, "6.3.2 6.3.3", "6.9 6.10", "unknown 1"].filter((pair) => {
    const [version = "", least = ""] = pair.split(" ");
    return isAtLeast(version, least);
  });
  assert.deepEqual(found, yes);
});
