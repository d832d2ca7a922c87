/** A short torture: each fault once at least, and nothing is lost, done twice or left behind. The long one is `npm run torture`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { startRedis } from "../../src/testing/index.ts";
import { drawPlan, type Kind, WEIGHTS } from "./plan.ts";
import { torture } from "./torture.ts";
import { killRedis } from "./witness.ts";

const KINDS = Object.keys(WEIGHTS) as Kind[];

test("a storm of all faults over two workers breaks nothing", async (t) => {
  const faults = KINDS.length + 2;
  const { ok, lines, summary } = await torture({ faults, runs: 90, seed: 7, workers: 2, onProgress: () => undefined });
  t.diagnostic(JSON.stringify(summary));
  assert.deepEqual(lines, []);
  assert.equal(ok, true);
});

test("a Redis that loses what it acknowledged is found out, one that keeps it is not", async (t) => {
  for (const appendonly of ["no", "yes"]) {
    const server = await startRedis({ config: { appendonly } });
    const direct = new Redis(server.url);
    direct.on("error", () => undefined);
    t.after(async () => {
      direct.disconnect();
      await server.stop();
    });
    const loss = await killRedis(server, direct);
    assert.equal((loss?.writes ?? 0) > 0, appendonly === "no", JSON.stringify(loss));
  }
});

test("equal seeds draw equal plans, other seeds others; each kind is in a plan that is long enough", () => {
  const draw = (seed: number) => drawPlan({ seed, faults: KINDS.length, runs: 10, kinds: KINDS });
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
  assert.deepEqual(new Set(draw(3).faults.map(({ kind }) => kind)), new Set(KINDS));
});
