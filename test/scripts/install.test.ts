/** The first start after a clone: node modules are installed. npm is a script of ours here; a real `npm ci` takes too long. */
import assert from "node:assert/strict";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { HOLD, repository, ROOT, start } from "./processes.ts";
import type { Started } from "./processes.ts";

/** An npm that writes down what it was asked and in which environment, and does the given thing. */
const NPM = `
const { appendFileSync, symlinkSync } = require("node:fs");
const [command] = process.argv.slice(2);
const inside = Object.keys(process.env).filter((name) => /^npm_(lifecycle|package)_/.test(name));
appendFileSync("npm.log", JSON.stringify({ words: process.argv.slice(2), inside }) + "\\n");
console.log("npm " + command + " runs");
const install = () => symlinkSync(process.env.TEST_MODULES, "node_modules");
if (process.env.TEST_NPM === "hangs") setInterval(() => {}, 1e6);
else if (process.env.TEST_NPM === "fails" || (process.env.TEST_NPM === "ci fails" && command === "ci")) process.exit(1);
else install();
`;
const QUIET = ["--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];

test("missing modules are installed with npm ci, then the program runs; stdout is the program's alone", async (t) => {
  const { root, run } = await freshClone(t, "works");
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\{"pid":.*\}\n$/);
  assert.match(stderr, /^Installing node modules \(npm ci\) …\nnpm ci runs\n$/);
  assert.deepEqual(await asked(root), [{ words: ["ci", ...QUIET], inside: [] }]);
});

test("where npm ci does not pass, npm install does, and leaves the lock alone", async (t) => {
  const { root, run } = await freshClone(t, "ci fails");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  const words = (await asked(root)).map((each) => each.words);
  assert.deepEqual(words, [
    ["ci", ...QUIET],
    ["install", "--no-save", ...QUIET],
  ]);
});

test("where neither passes it says so in one sentence", async (t) => {
  const { run } = await freshClone(t, "fails");
  const { code, stderr } = await run.ended;
  assert.equal(code, 1);
  assert.match(stderr, /\nerrand: npm could not install the node modules \(exit code 1, see above\)\.\n$/);
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`${signal} while npm works leaves no npm`, async (t) => {
    const { run } = await freshClone(t, "hangs");
    await run.said(/npm ci runs/);
    run.child.kill(signal);
    await run.gone();
    if (signal === "SIGINT") assert.equal((await run.ended).code, 130);
  });
}

test("a Node that is too old is told so", async (t) => {
  const install = new URL("../../scripts/install.mjs", import.meta.url).href;
  const old = `import { demandNode } from ${JSON.stringify(install)}; demandNode("20.19.0"); demandNode("22.0.0"); demandNode("20.18.3");`;
  const { stderr } = await start(t, process.execPath, ["--input-type=module", "--eval", old]).ended;
  assert.match(stderr, /Errand needs Node 20\.19 or newer and this is 20\.18\.3: install a newer one/);
});

test("complete-lock adds what npm left out for other platforms, once; our own lock lacks nothing", async (t) => {
  const root = await repository(t, { modules: false });
  const lock = await readFile(join(ROOT, "package-lock.json"), "utf8");
  const file = join(root, "package-lock.json");
  const complete = async (): Promise<string> => {
    const { code, stdout } = await start(t, process.execPath, [join(root, "scripts/complete-lock.mjs")]).ended;
    assert.equal(code, 0);
    return stdout;
  };
  await writeFile(file, lock);
  assert.equal(await complete(), "package-lock.json: 0 entries added\n");

  const parsed = JSON.parse(lock) as { packages: Record<string, unknown> };
  const name = "node_modules/@oxlint/binding-linux-x64-musl";
  const { [name]: expected, ...others } = parsed.packages;
  await writeFile(file, JSON.stringify({ ...parsed, packages: others }));
  assert.equal(await complete(), "package-lock.json: 1 entries added\n");
  const { packages } = JSON.parse(await readFile(file, "utf8")) as typeof parsed;
  assert.deepEqual(packages[name], expected);
});

async function freshClone(t: TestContext, npm: string): Promise<{ root: string; run: Started }> {
  const root = await repository(t, { modules: false });
  await writeFile(join(root, "npm-cli.js"), NPM);
  await symlink(HOLD, join(root, "hold.ts"));
  const env = {
    npm_execpath: join(root, "npm-cli.js"),
    npm_lifecycle_event: "demo",
    npm_package_name: "errand",
    INIT_CWD: root,
    NODE_ENV: "production",
    TEST_NPM: npm,
    TEST_MODULES: join(ROOT, "node_modules"),
  };
  const run = start(t, process.execPath, [join(root, "scripts/run.mjs"), "hold.ts", "other", "exit", "0"], { env });
  return { root, run };
}

async function asked(root: string): Promise<{ words: string[]; inside: string[] }[]> {
  const lines = (await readFile(join(root, "npm.log"), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as { words: string[]; inside: string[] });
}
