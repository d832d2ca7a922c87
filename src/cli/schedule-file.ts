/**
 * `errand schedules upsert --file`: many schedules, one JSON object a line. The whole file is read and checked before the first is
 * written, and what was written is written again without a change: a command that was broken off is simply given again.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type Errand, ErrandError, type ManyOptions, type RefusedSchedule, type UpsertedMany } from "../index.ts";
import { milliseconds, momentOf } from "./arguments.ts";
import { EXIT } from "./failure.ts";
import { type GlobalArgs, type Io, jsonLine, line } from "./io.ts";
import { open } from "./open.ts";
import { count, oneLine } from "./units.ts";

export interface FileArgs extends GlobalArgs {
  /** `-`: stdin. */
  readonly file: string;
  /** Of lines that name none. */
  readonly agent?: string;
  readonly dryRun?: boolean;
}

/** As text: a hundred thousand of them are some 30 MB. */
interface Entry {
  readonly line: number;
  readonly agent: string;
  readonly text: string;
}

interface Problem extends Omit<RefusedSchedule, "at"> {
  readonly line: number;
}

/** @returns 1 when a line is wrong; then nothing was written. @throws ErrandError `option-invalid`, `redis-…` */
export async function upsertFile(args: FileArgs, io: Io): Promise<number> {
  const { entries, problems } = await readEntries(args, io);
  const { errand } = await open(args, io, { optional: true });
  try {
    const checked = await putAll(errand, entries, { dryRun: true, args, io });
    const wrong = [...problems, ...checked.problems].toSorted((a, b) => a.line - b.line);
    if (wrong.length > 0 || args.dryRun === true) return tell({ ...checked, problems: wrong, dryRun: true }, args, io);
    return tell({ ...(await putAll(errand, entries, { dryRun: false, args, io })), dryRun: false }, args, io);
  } finally {
    await errand.close();
  }
}

async function readEntries(
  { file, agent }: FileArgs,
  { stdin }: Io,
): Promise<{ readonly entries: readonly Entry[]; readonly problems: readonly Problem[] }> {
  const entries: Entry[] = [];
  const problems: Problem[] = [];
  const first = new Map<string, number>();
  let at = 0;
  try {
    const input = file === "-" ? stdin : createReadStream(file, "utf8");
    for await (const raw of createInterface({ input, crlfDelay: Infinity })) {
      const text = at++ === 0 ? raw.replace(/^\uFEFF/, "") : raw;
      if (text.trim() === "") continue;
      const read = readLine(text, at, agent, first);
      if ("message" in read) problems.push(read);
      else entries.push(read);
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new ErrandError("option-invalid", `--file: expected a readable file, got ${file} (${code}).`);
  }
  if (entries.length === 0 && problems.length === 0)
    throw new ErrandError("option-invalid", `--file: expected a schedule a line, got ${file}, which holds none.`);
  return { entries, problems };
}

const EXAMPLE = `{"id":"digest/ada","agent":"inbox-digest","identifier":"ada","cron":"0 8 * * *"}`;

/** What can be said of a line by itself. The parser's own message repeats the line, which may be private. */
function readLine(text: string, at: number, given: string | undefined, first: Map<string, number>): Entry | Problem {
  const wrong = (message: string, id = ""): Problem => ({ line: at, id, code: "schedule-invalid", message });
  const value = parse(text);
  if (value === undefined) return wrong(`expected a JSON object, such as ${EXAMPLE}, got ${text.length} characters.`);
  const { id, agent = given } = value;
  if (typeof agent !== "string")
    return wrong("agent: expected the name of an agent, here or by --agent for all lines.", String(id).slice(0, 200));
  const before = typeof id === "string" ? first.get(id) : undefined;
  if (typeof id === "string" && before !== undefined)
    return wrong(`id: ${JSON.stringify(id.slice(0, 200))} stands on line ${before} already.`, id.slice(0, 200));
  if (typeof id === "string") first.set(id, at);
  return { line: at, agent, text };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** As `upsert` takes them, but for what JSON has no word for: dates, and durations as on the command line. */
function* optionsOf(entries: readonly Entry[]): Generator<ManyOptions, void, void> {
  for (const { text } of entries) {
    const { agent: _, ...options } = parse(text) ?? {};
    for (const name of ["startAt", "endAt"]) {
      const value = options[name];
      if (typeof value === "string") options[name] = momentOf(value) ?? value;
    }
    for (const name of ["every", "jitter"]) options[name] = length(options[name]);
    // Whatever it is, `upsertMany` says what was expected.
    yield options as unknown as ManyOptions;
  }
}

function length(value: unknown): unknown {
  try {
    return typeof value === "string" ? milliseconds(value) : value;
  } catch {
    return value;
  }
}

interface Put {
  readonly dryRun: boolean;
  readonly args: FileArgs;
  readonly io: Io;
}

interface Sum extends Omit<UpsertedMany, "refused"> {
  readonly problems: readonly Problem[];
}

async function putAll(errand: Errand, entries: readonly Entry[], put: Put): Promise<Sum> {
  const { dryRun } = put;
  const byAgent = new Map<string, Entry[]>();
  for (const entry of entries) {
    const of = byAgent.get(entry.agent) ?? [];
    of.push(entry);
    byAgent.set(entry.agent, of);
  }
  const sum = { created: 0, updated: 0, unchanged: 0, problems: [] as Problem[] };
  const progress = progressOf(entries.length, put);
  for (const [agent, some] of byAgent)
    try {
      const done = (now: UpsertedMany): number => now.created + now.updated + now.unchanged + now.refused.length;
      const before = sum.created + sum.updated + sum.unchanged + sum.problems.length;
      const onProgress = (soFar: UpsertedMany): void => progress(before + done(soFar));
      const found = await errand.schedules.upsertMany(agent, optionsOf(some), { dryRun, onProgress });
      for (const name of ["created", "updated", "unchanged"] as const) sum[name] += found[name];
      for (const { at, ...refused } of found.refused) sum.problems.push({ line: some[at]?.line ?? 0, ...refused });
    } catch (error) {
      if (!(error instanceof ErrandError) || error.code !== "agent-unknown") throw error;
      const { code, message } = error;
      for (const entry of some) sum.problems.push({ line: entry.line, id: "", code, message });
    }
  return sum;
}

const TELL_EVERY = 1_000;
/** Lines of a person's terminal. */
const MOST_TIMES = 20;

/** On stderr, for a person who waits; a Redis that is lost says in the last line how far it came. */
function progressOf(all: number, { dryRun, args, io }: Put): (done: number) => void {
  let told = 0;
  const every = Math.max(TELL_EVERY, all / MOST_TIMES);
  return (done) => {
    if (args.json === true || all <= every || (done - told < every && done < all)) return;
    told = done;
    const shown = (n: number): string => n.toLocaleString("en-US");
    line(io.stderr, `${dryRun ? "checked" : "written"}: ${shown(done)} of ${shown(all)}`);
  };
}

const MOST_TOLD = 20;

function tell({ problems, dryRun, ...sum }: Sum & { readonly dryRun: boolean }, args: FileArgs, io: Io): number {
  const code = problems.length === 0 ? EXIT.ok : EXIT.error;
  if (args.json === true) {
    jsonLine(io.stdout, { ...sum, refused: problems, written: !dryRun });
    return code;
  }
  for (const { line: at, code: why, message } of problems.slice(0, MOST_TOLD))
    line(io.stderr, `line ${at}: ${why}: ${oneLine(message)}`);
  if (problems.length > MOST_TOLD) line(io.stderr, `and ${count(problems.length - MOST_TOLD, "more line")}`);
  const { created, updated, unchanged } = sum;
  const what = `${count(created + updated + unchanged, "schedule")}: ${created} created, ${updated} updated, ${unchanged} unchanged`;
  if (!dryRun) line(io.stdout, what);
  else if (problems.length === 0) line(io.stdout, `${what}; nothing is written (--dry-run)`);
  else
    line(io.stderr, `nothing was written: ${count(problems.length, "line")} of ${args.file} must be corrected first`);
  return code;
}
