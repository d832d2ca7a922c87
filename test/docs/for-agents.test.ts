/** llms.txt, AGENTS.md and SKILL.md, held against the repository: a command, option, function or file that they name is there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as errandModule from "../../src/index.ts";
import * as testing from "../../src/testing/index.ts";
import { createMockContext } from "../../src/testing/index.ts";
import { errandHere } from "../cli/command.ts";
import { redisUrl, testPrefix } from "../support/store.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const FILES = ["llms.txt", "AGENTS.md", "SKILL.md"] as const;
const texts = FILES.map((path) => [path, read(path)] as const);

/** What stands in backticks, and each line of shell. */
const spans = (text: string): string[] => [
  ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span),
  ...[...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => block.split("\n")),
];

test("they are short, and ship with the package", () => {
  for (const [path, text] of texts) assert.ok(text.length < 6_000, `${path}: ${text.length} characters`);
  const { files } = JSON.parse(read("package.json")) as { files: string[] };
  for (const path of ["llms.txt", "SKILL.md"]) assert.ok(files.includes(path), `package.json: files: ${path}`);
  assert.match(read("llms.txt"), /^# Errand\n\n> /);
  assert.match(read("SKILL.md"), /^---\nname: errand\ndescription: .{50,1000}\n---\n/);
});

test("the code in SKILL.md is examples/quickstart.ts, which is type-checked", () => {
  assert.ok(read("SKILL.md").includes(read("examples/quickstart.ts")), "copy it there");
});

test("links, files and npm scripts are there", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  for (const [path, text] of texts) {
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)/g))
      assert.ok(existsSync(join(ROOT, target)), `${path} links to ${target}`);
    for (const span of spans(text)) {
      const [, script] = /^npm run ([a-z:-]+)/.exec(span) ?? [];
      if (script !== undefined) assert.ok(script in scripts, `${path}: npm run ${script}`);
      const [file] =
        /^(src|test|workers|docs|examples|scripts)\/[\w./-]+$|^\.env\.example$|^[A-Z]+\.md$/.exec(span) ?? [];
      if (file !== undefined) assert.ok(existsSync(join(ROOT, file)), `${path}: ${file}`);
    }
  }
});

test("commands of `errand` and their options are there", async () => {
  let found = 0;
  for (const [path, text] of texts)
    for (const span of spans(text)) {
      const [, command = ""] = /^(?:npm run )?errand (?:-- )?([a-z].*?)(?:\s{2,}#.*)?$/.exec(span) ?? [];
      if (command === "") continue;
      const words = command.split(" ");
      const names = words.slice(0, words.findIndex((word) => !/^[a-z]+$/.test(word)) >>> 0);
      const { stdout } = await errandHere([...names, "--help"], {});
      assert.ok(stdout.startsWith(`Usage: errand ${names.join(" ")} `), `${path}: errand ${command}`);
      for (const option of words.filter((word) => word.startsWith("--")))
        assert.ok(stdout.includes(`${option} `), `${path}: errand ${names.join(" ")} has no ${option}`);
      found++;
    }
  assert.ok(found >= 12, `${found} commands were found`);
});

test("functions are there, where they are said to be", async (t) => {
  const errand = errandModule.createErrand({ redis: redisUrl(), prefix: testPrefix(), agents: [] });
  t.after(() => errand.close());
  const roots: Record<string, unknown> = { errand, ctx: createMockContext() };
  let found = 0;
  for (const [path, text] of texts)
    for (const span of spans(text)) {
      const [, name = ""] = /^([A-Za-z][\w.]*)\(\)$/.exec(span) ?? [];
      if (name === "") continue;
      const [first = "", ...rest] = name.split(".");
      const from = rest.length === 0 ? { ...testing, ...errandModule } : { [first]: roots[first] };
      const value = [first, ...rest].reduce<unknown>(
        (at, key) => (at as Record<string, unknown> | undefined)?.[key],
        from,
      );
      assert.equal(typeof value, "function", `${path}: ${name}()`);
      found++;
    }
  assert.ok(found >= 15, `${found} functions were found`);
});
