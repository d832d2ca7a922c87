/** What the documents promise, held against the repository. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as testing from "../../src/testing/index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const documents = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

test("the whole test in docs/testing.md is the one that runs", () => {
  assert.ok(read("docs/testing.md").includes(read("test/docs/agent.test.ts")));
});

test("the README's code is examples/quickstart.ts, which is type-checked", () => {
  assert.ok(read("README.md").includes(read("examples/quickstart.ts")), "copy examples/quickstart.ts into the README");
});

test("the code in docs/tools.md is examples/team-report.ts, which is type-checked", () => {
  assert.ok(read("docs/tools.md").includes(read("examples/team-report.ts")), "copy it there");
});

test("every helper that docs/testing.md calls is exported", () => {
  const named = [...read("docs/testing.md").matchAll(/`(?:await )?([a-z]\w+)\(/gi)].map((match) => match[1] ?? "");
  const unknown = named.filter((name) => !(name in testing));
  assert.deepEqual(unknown, []);
});

test("links between documents lead somewhere", () => {
  for (const path of documents)
    for (const [, target = ""] of read(path).matchAll(/\]\((?!https?:)([^)#]+)/g))
      assert.ok(existsSync(join(ROOT, dirname(path), target)), `${path} links to ${target}`);
});

test("every npm script that a document names exists", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  for (const path of documents)
    for (const [, name = ""] of read(path).matchAll(/npm run ([a-z:-]+)/g))
      assert.ok(name in scripts, `${path}: npm run ${name}`);
});
