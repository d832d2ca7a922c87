/** scripts/run.mjs: what it gives the program, and that nothing outlives it. Real processes, real signals, real Redis. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { folder, held, HOLD, RUN, runDemo, start, which } from "./processes.ts";
import type { Held, Started } from "./processes.ts";

test("the demo gets a Redis of its own on loopback, and the script ends with the program's exit code", async (t) => {
  const run = runDemo(t, ["exit", "3"]);
  const { url, redis } = await held(run);
  assert.match(url, /^redis:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(redis?.appendonly, "yes");
  assert.equal((await run.ended).code, 3);
  await nothingLeft(run, redis);
});

test("other commands and --help start no Redis", async (t) => {
  for (const args of [
    ["worker", "exit", "0"],
    ["demo", "exit", "0", "--help"],
  ]) {
    const run = start(t, process.execPath, [RUN, HOLD, ...args]);
    assert.equal((await held(run)).url, "");
    assert.equal((await run.ended).code, 0);
  }
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} ends the program, then Redis`, async (t) => {
    const run = runDemo(t);
    const { redis } = await held(run);
    run.child.kill(signal);
    assert.equal((await run.ended).code, { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    await nothingLeft(run, redis);
  });
}

test("a program that ends well on SIGTERM gives its own exit code", async (t) => {
  const run = runDemo(t, ["handle", "7"]);
  await held(run);
  run.child.kill("SIGTERM");
  assert.equal((await run.ended).code, 7);
  await run.gone();
});

test("kill -9 of the script leaves no program, no Redis and no folder", async (t) => {
  const run = runDemo(t);
  const { redis } = await held(run);
  run.child.kill("SIGKILL");
  await nothingLeft(run, redis);
});

for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
  test(`${signal} of npm leaves nothing either`, async (t) => {
    const run = await runUnderNpm(t);
    const { redis } = await held(run);
    run.child.kill(signal);
    await nothingLeft(run, redis);
  });
}

test("kill -9 of the program ends the script and Redis", async (t) => {
  const run = runDemo(t);
  const { pid, redis } = await held(run);
  process.kill(pid, "SIGKILL");
  assert.equal((await run.ended).code, 137);
  await nothingLeft(run, redis);
});

test("without a file it says what it expects", async (t) => {
  const { code, stderr } = await start(t, process.execPath, [RUN]).ended;
  assert.equal(code, 1);
  assert.match(stderr, /^errand: Expected a file to run: .*\n$/);
});

async function nothingLeft(run: Started, redis: Held["redis"]): Promise<void> {
  assert.ok(redis !== undefined, "a Redis was there before");
  await run.gone(redis.pid);
  assert.equal(existsSync(redis.dir), false, "the folder of Redis is removed");
}

async function runUnderNpm(t: Parameters<typeof runDemo>[0]): Promise<Started> {
  const cwd = await folder(t);
  const demo = `exec '${process.execPath}' '${RUN}' '${HOLD}' demo`;
  await writeFile(join(cwd, "package.json"), JSON.stringify({ name: "wrapper", private: true, scripts: { demo } }));
  return start(t, which("npm"), ["run", "--silent", "demo"], { cwd });
}
