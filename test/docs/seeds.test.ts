/** docs/seeds.md: every row is there once, and every file that it names exists. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const text = readFileSync("docs/seeds.md", "utf8");
const rows = [...text.matchAll(/^\| (\d+) \| ([^|]+) \| ([^|]+) \|$/gm)];

test("89 rows, each once and in order; each says what covers it, or what is missing", () => {
  assert.deepEqual(
    rows.map(([, row]) => Number(row)),
    Array.from({ length: 89 }, (_, i) => i + 1),
  );
  const silent = rows.filter(([, , , told = ""]) => !/\btest\/|^not yet: |^out of scope: /.test(told));
  assert.deepEqual(
    silent.map(([, row]) => row),
    [],
  );
});

test("the counts at the top are those of the table, and every named file exists", () => {
  const told = rows.map(([, , , words = ""]) => words);
  const [missing, out] = [
    told.filter((it) => it.startsWith("not yet: ")),
    told.filter((it) => it.startsWith("out of ")),
  ];
  const part = told.filter((it) => it.startsWith("**in part**"));
  const covered = told.length - missing.length - out.length - part.length;
  const counts = `${covered} are covered, ${part.length} in part, ${missing.length} not yet, ${out.length} is out of scope`;
  assert.ok(text.includes(counts), counts);
  const files = [...text.matchAll(/\b(?:test|examples)\/[\w/-]+(?:\.test)?(?:\.ts)?/g)].map(([file]) => file);
  assert.deepEqual(
    files.filter((file) => !existsSync(file)),
    [],
  );
});
