/**
 * Takes the golden requests anew: `node --import tsx test/models/golden/take.ts` writes the bodies of all journals in this folder, to be
 * read in the diff. `--journals` writes the journals as well, as the loop writes them today, and those of new stories.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PROTOCOLS } from "../lab.ts";
import { bodyOf } from "./bodies.ts";
import { type Journal, journalOf } from "./record.ts";
import { STORIES } from "./stories.ts";

const all = process.argv.includes("--journals");
const folder = fileURLToPath(new URL(".", import.meta.url));
const written: string[] = [];

for (const story of STORIES) {
  const at = `${folder}${story.name}`;
  mkdirSync(at, { recursive: true });
  if (all || !existsSync(`${at}/journal.json`)) write(`${at}/journal.json`, journalOf(story));
  const journal = JSON.parse(readFileSync(`${at}/journal.json`, "utf8")) as Journal;
  for (const protocol of PROTOCOLS) write(`${at}/${protocol}.json`, bodyOf(journal, protocol));
}
execFileSync("npx", ["oxfmt", ...written], { stdio: "inherit" });

function write(file: string, value: unknown): void {
  writeFileSync(file, JSON.stringify(value, undefined, 2));
  written.push(file);
}
