/**
 * Runs the tests on a machine that has only Node and npm: `node scripts/test.mjs [part of a path …] [option of node …]`.
 * It installs the node modules if they are missing and gives all tests one Redis in REDIS_URL (see redis.mjs), which is never
 * flushed: each test has a prefix of its own. The last lines are the summary of Node's test runner.
 */
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT, ensureModules } from "./install.mjs";
import { main } from "./main.mjs";
import { runProgram } from "./program.mjs";
import { SetupError } from "./setup-error.mjs";

const TEST_TIMEOUT_MS = 300_000;

await main(async (stop) => {
  const options = process.argv.slice(2).filter((word) => word.startsWith("-"));
  const files = testFiles(process.argv.slice(2).filter((word) => !word.startsWith("-")));
  await ensureModules(stop);
  stop.throwIfAborted();
  const runner = [...seeded(), "--test", "--test-reporter=spec", `--test-timeout=${TEST_TIMEOUT_MS}`];
  return runProgram([...runner, `--test-concurrency=${concurrency()}`, ...options, ...files], stop, {
    cwd: ROOT,
    redis: true,
  });
});

/** Property tests draw the same cases in every run: see the file. */
function seeded() {
  const file = join(ROOT, "test/support/seed.mjs");
  return existsSync(file) ? [`--import=${pathToFileURL(file).href}`] : [];
}

/** Node 20 takes no globs. Each word of `parts` names one or more files. */
function testFiles(parts) {
  const all = readdirSync(join(ROOT, "test"), { recursive: true })
    .map((name) => `test/${name}`)
    .filter((name) => name.endsWith(".test.ts"))
    .sort();
  if (parts.length === 0) return all;
  const named = parts.map((part) => part.replace(/^\.\//, ""));
  const wrong = named.find((part) => !all.some((name) => name.includes(part)));
  if (wrong !== undefined) throw new SetupError(`No test file has "${wrong}" in its path: see test/ for their names.`);
  return all.filter((name) => named.some((part) => name.includes(part)));
}

/** Some tests mind being crowded by more; on two cores, two wait well for each other's I/O. */
function concurrency() {
  return Math.min(4, Math.max(2, availableParallelism()));
}
