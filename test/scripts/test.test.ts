/** scripts/test.mjs: which files it runs, what it gives them, how it ends. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { repository, start } from "./processes.ts";
import type { Started } from "./processes.ts";

const PASSES = `import { test } from "node:test"; const n: number = 1;
test("passes", () => { if (!/^redis:\\/\\/127/.test(process.env.REDIS_URL ?? "")) throw new Error("no Redis"); });`;
const FAILS = `import { test } from "node:test"; test("fails", () => { throw new Error("as it should"); });`;
const HANGS = `import { test } from "node:test";
test("hangs", async () => { process.stderr.write("it hangs\\n"); await new Promise(() => setInterval(() => {}, 1e6)); });`;

test("all files under test run with one Redis, and a failing one gives the exit code", async (t) => {
  const run = await testCommand(t, {
    "test/a.test.ts": PASSES,
    "test/deep/er/b.test.ts": FAILS,
    "test/deep/c.ts": FAILS,
  });
  const { code, stdout } = await run.ended;
  assert.equal(code, 1);
  assert.match(stdout, /^ℹ tests 2$/m);
  assert.match(stdout, /^ℹ pass 1$/m);
  assert.match(stdout, /^ℹ fail 1$/m);
});

test("a part of a path chooses files; the runner's summary ends the output", async (t) => {
  const files = { "test/a.test.ts": PASSES, "test/deep/b.test.ts": FAILS };
  const { code, stdout, stderr } = await (await testCommand(t, files, ["./test/a"])).ended;
  assert.equal(code, 0, stdout);
  assert.match(stdout, /ℹ tests 1\n(ℹ .*\n)+$/);
  assert.equal(stderr, "");
});

test("options of node are passed on, and a name that fits no file is told", async (t) => {
  const two = 'import { test } from "node:test"; test("one of two", () => {}); test("the other", () => {});';
  const files = { "test/a.test.ts": two };
  const chosen = await (await testCommand(t, files, ["--test-name-pattern=one of"])).ended;
  assert.match(chosen.stdout, /✔ one of two/);
  assert.doesNotMatch(chosen.stdout, /✔ the other/);
  const wrong = await (await testCommand(t, files, ["nosuch"])).ended;
  assert.equal(wrong.code, 1);
  assert.equal(wrong.stderr, 'errand: No test file has "nosuch" in its path: see test/ for their names.\n');
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`${signal} of the script ends the runner and the test files`, async (t) => {
    const run = await testCommand(t, { "test/a.test.ts": HANGS });
    assert.equal(await run.firstLine, "it hangs");
    run.child.kill(signal);
    await run.gone();
  });
}

async function testCommand(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<Started> {
  const root = await repository(t, { modules: true });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return start(t, process.execPath, [join(root, "scripts/test.mjs"), ...args]);
}
