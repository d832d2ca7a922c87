/**
 * Turns under kill -9: worker processes with caps of all kinds are killed at moments that a seed picks, and replaced. One script of our
 * own looks at all runs and lists at once, again and again: never is a cap exceeded, and a slot is held by exactly those that are live.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { createErrand } from "../../src/index.ts";
import { httpError, say, startScalekitEmulator, startScriptedModel } from "../../src/testing/index.ts";
import { rollDice } from "../simulation/dice.ts";
import { compiled } from "../support/compiled.ts";
import { redisUrl, removeKeys, testPrefix } from "../support/store.ts";
import { CAPS, turnsOptions, type TurnsSurroundings } from "./turns-world.ts";

const SEED = 6;
const WORKERS = 3;
const KILLS = 5;
const RUNS = 70;
const TENANTS: Readonly<Record<string, string>> = { ann: "acme", bob: "acme", cay: "acme", dan: "bolt", eve: "bolt" };
const PEOPLE = ["ann", "ann", "ann", "bob", "cay", "dan", "eve", "fox", "fox"] as const;

/** → of each run: id, place, identifier, agent; then whoever has a slot by the list of all, and what is left in lists at all. */
const LOOK = `
local p, found = ARGV[1], {}
for i = 2, #ARGV do
  local h = redis.call('HMGET', p .. 'run:' .. ARGV[i], 'place', 'identifier', 'agent')
  found[#found + 1] = { ARGV[i], h[1] or '', h[2] or '', h[3] or '' }
end
return { found, redis.call('ZRANGE', p .. 'busy:all', 0, -1) }
`;

interface Look {
  readonly live: readonly (readonly [run: string, place: string, identifier: string, agent: string])[];
  readonly busy: readonly string[];
}

function problems({ live, busy }: Look): string[] {
  const found: string[] = [];
  const count = new Map<string, number>();
  const most = (name: string, cap: number): void => {
    const now = (count.get(name) ?? 0) + 1;
    count.set(name, now);
    if (now > cap) found.push(`${name}: ${now} live, its cap is ${cap}`);
  };
  for (const [, , identifier, agent] of live) {
    most("all", CAPS.maxLive);
    most(`identifier ${identifier}`, CAPS.perIdentifier);
    const tenant = TENANTS[identifier];
    if (tenant !== undefined) most(`tenant ${tenant}`, CAPS.perTenant);
    if (agent === "bulk") most(`bulk of ${identifier}`, CAPS.bulk);
  }
  const names = live.map(([run]) => run).toSorted();
  if (names.join(" ") !== busy.toSorted().join(" "))
    found.push(`live: ${names.join(" ")}; on the list: ${busy.join(" ")}`);
  return found;
}

test("workers are killed at any moment: never above a cap, no slot is lost, nobody is forgotten", async (t) => {
  const [dice, luck] = [rollDice(SEED), rollDice(SEED + 1)];
  const redis = new Redis(redisUrl());
  const prefix = testPrefix();
  const model = await startScriptedModel({
    script: async (_, { attempt }) => {
      await sleep(luck.between(10, 150));
      return attempt === 0 && luck.chance(0.1) ? httpError(503) : say("Done");
    },
  });
  const scalekit = await startScalekitEmulator({ connections: [] });
  const surroundings: TurnsSurroundings = {
    redis: redisUrl(),
    prefix,
    scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: scalekit.clientSecret },
    model: { baseURL: model.url, apiKey: model.apiKey },
  };
  const errand = createErrand(turnsOptions(surroundings));
  const file = await compiled(new URL("turns-worker.ts", import.meta.url));
  const workers: ChildProcess[] = [];
  const start = async (): Promise<void> => {
    const child = spawn(process.execPath, [file, JSON.stringify(surroundings)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    workers.push(child);
    const died = once(child, "exit").then(([code]) => assert.equal(code, null, "a worker did not start"));
    await Promise.race([once(child, "message"), died]);
  };
  const kill = async (child: ChildProcess | undefined): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  t.after(async () => {
    await Promise.all(workers.map(kill));
    await errand.close();
    await model.close();
    await scalekit.close();
    await removeKeys(redis, `{${prefix}:0}:`);
    redis.disconnect();
  });

  const runs = await Promise.all(
    Array.from({ length: RUNS }, (_, n) => {
      const identifier = dice.pick(PEOPLE);
      const tenant = TENANTS[identifier];
      const whose = { identifier, ...(tenant !== undefined && { tenant }) };
      return errand.enqueue(dice.chance(0.3) ? "bulk" : "note", { ...whose, input: { n } });
    }),
  );
  const ids = runs.map(({ id }) => id);
  const ends = Promise.all(runs.map((run) => run.result({ timeoutMs: 60_000 })));
  let over = false;
  const results = ends.finally(() => (over = true));

  const found = new Set<string>();
  let [looks, most] = [0, 0];
  const look = async (): Promise<void> => {
    const reply = await redis.eval(LOOK, 1, `{${prefix}:0}:looks`, `{${prefix}:0}:`, ...ids);
    const [all, busy] = reply as [Look["live"], string[]];
    const live = all.filter(([, place]) => place === "live");
    for (const problem of problems({ live, busy })) found.add(problem);
    looks++;
    most = Math.max(most, live.length);
  };
  const watching = (async () => {
    while (!over) {
      await look();
      await sleep(5);
    }
  })();

  await Promise.all(Array.from({ length: WORKERS }, start));
  for (let killed = 0; killed < KILLS && !over; killed++) {
    await sleep(dice.between(100, 500));
    const alive = workers.filter(({ signalCode }) => signalCode === null);
    await kill(alive[dice.below(alive.length)]);
    await start();
  }
  await results;
  await watching;
  await look();
  t.diagnostic(`${looks} looks, at most ${most} live; ${model.requests.length} requests`);
  assert.deepEqual(Array.from(found), []);
  assert.equal(most, CAPS.maxLive, "the caps were reached");
  const done = await Promise.all(runs.map(async (run) => (await run.get()).status));
  assert.deepEqual(new Set(done), new Set(["completed"]));
  const keys = (await redis.keys(`{${prefix}:0}:*`)).map((key) => key.slice(prefix.length + 5));
  const left = keys.filter((key) => /^(line|live|busy|waits|ready|stopped):/.test(key));
  assert.deepEqual(left, [], "who waits for nothing has no keys");
});
