/**
 * From a journal to a request, byte by byte as it was when the golden files were taken (`golden/take.ts`): a change of what a model sees is
 * a change of these files, to be read by a person. Each body is one that its protocol's validator accepts.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { RULES } from "./fuzz/way.ts";
import { bodyOf } from "./golden/bodies.ts";
import { type Journal, journalOf } from "./golden/record.ts";
import { STORIES } from "./golden/stories.ts";
import { PROTOCOLS } from "./lab.ts";

const FOLDER = new URL("golden/", import.meta.url);
const names = readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

function fileOf(name: string, file: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}/${file}.json`, FOLDER), "utf8"));
}

test("each story has its files, and each file its story", () => {
  assert.deepEqual(names.toSorted(), STORIES.map(({ name }) => name).toSorted());
});

for (const name of names) {
  const journal = fileOf(name, "journal") as Journal;
  for (const protocol of PROTOCOLS)
    test(`${name} on ${protocol}: ${journal.about}`, () => {
      const body = bodyOf(journal, protocol);
      assert.deepEqual(RULES[protocol](body), []);
      // As text: the order of the fields is what the provider's cache goes by.
      assert.equal(JSON.stringify(body), JSON.stringify(fileOf(name, protocol)), `take anew: golden/take.ts`);
    });
}

test("the loop writes these journals today", () => {
  for (const story of STORIES) {
    const today = JSON.parse(JSON.stringify(journalOf(story))) as Journal;
    assert.deepEqual(withoutContext(today), withoutContext(fileOf(story.name, "journal") as Journal), story.name);
  }
});

/** Whose limits grow with each new one. */
function withoutContext({ decisions, ...rest }: Journal): unknown {
  return { ...rest, decisions: decisions.map((one) => (one.kind === "prepared" ? one.kind : one)) };
}
