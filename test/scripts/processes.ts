/** Starts our scripts as a person would, and finds every process that is left of them by a mark in its environment. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));
export const RUN: string = join(ROOT, "scripts/run.mjs");
export const HOLD: string = join(ROOT, "test/scripts/fixtures/hold.ts");

const GONE_WITHIN_MS = 15_000;

/** A process of ours with all it starts. */
export interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Resolves with the first line on stdout. Rejects with all output when the process ends before. */
  readonly firstLine: Promise<string>;
  /** Resolves when its output on stderr matches. Rejects with all output when the process ends before. */
  said(pattern: RegExp): Promise<void>;
  /** Resolves when the process has ended and its output is complete. */
  readonly ended: Promise<Ended>;
  /**
   * Resolves when no process is left that was started by it, directly or not; rejects with those that are. A Redis writes its
   * title over its environment, and our mark with it: name its pid.
   */
  gone(...alsoPids: number[]): Promise<void>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `command` with no terminal. `env` is laid over an environment that has no REDIS_URL. Killed when the test ends. */
export function start(
  t: TestContext,
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Started {
  const mark = randomUUID();
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...cleanEnvironment(), ...options.env, ERRAND_TEST_MARK: mark },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout: stdout(),
    stderr: stderr(),
  }));
  const until = (stream: Readable, text: () => string, pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(text())) resolve(text());
      };
      look();
      stream.on("data", look);
      void ended.then((end) => reject(new Error(`It ended before it said ${pattern}: ${JSON.stringify(end)}`)));
    });
  const firstLine = until(child.stdout, stdout, /\n/).then((text) => text.slice(0, text.indexOf("\n")));
  firstLine.catch(() => undefined); // not every test asks for it
  t.after(async () => {
    child.kill("SIGKILL");
    await noneLeft(mark, []).catch(async () => (await marked(mark)).forEach(endHard));
  });
  const said = async (pattern: RegExp): Promise<void> => void (await until(child.stderr, stderr, pattern));
  return { child, firstLine, said, ended, gone: (...pids) => noneLeft(mark, pids) };
}

/** Runs `node scripts/run.mjs hold.ts demo …`. */
export function runDemo(t: TestContext, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Started {
  return start(t, process.execPath, [RUN, HOLD, "demo", ...args], { env });
}

/** What fixtures/hold.ts says about itself. */
export interface Held {
  readonly pid: number;
  readonly url: string;
  readonly redis?: { readonly pid: number; readonly dir: string; readonly appendonly: string };
}

export async function held(started: Started): Promise<Held> {
  return JSON.parse(await started.firstLine) as Held;
}

/** A folder that goes with the test. */
export async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "errand-scripts-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A repository of its own with our scripts and sources, and our node modules unless the test installs them. */
export async function repository(t: TestContext, options: { modules: boolean }): Promise<string> {
  const root = await folder(t);
  await cp(join(ROOT, "scripts"), join(root, "scripts"), { recursive: true });
  await symlink(join(ROOT, "src"), join(root, "src"));
  if (options.modules) await symlink(join(ROOT, "node_modules"), join(root, "node_modules"));
  return root;
}

/** A folder with these programs, by name: a shell script's text, or `{ link }` to a real program. To be used as the PATH. */
export async function programs(
  t: TestContext,
  entries: Readonly<Record<string, string | { link: string }>>,
): Promise<string> {
  const path = await folder(t);
  for (const [name, entry] of Object.entries(entries)) {
    if (typeof entry === "string") {
      await writeFile(join(path, name), `#!/bin/sh\n${entry}\n`);
      await chmod(join(path, name), 0o755);
    } else {
      await symlink(entry.link, join(path, name));
    }
  }
  return path;
}

/** Where a program is on our PATH. Throws when it is not there. */
export function which(name: string): string {
  const found = onPath(name);
  if (found === undefined) throw new Error(`${name} is not on PATH`);
  return found;
}

export function has(name: string): boolean {
  return onPath(name) !== undefined;
}

function onPath(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((dir) => join(dir, name)).find((path) => existsSync(path));
}

/** Our own environment without what a test run or npm puts there for the processes of this run only. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(REDIS_URL|NODE_TEST_CONTEXT|NODE_OPTIONS|INIT_CWD|npm_.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}

function collect(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  return () => text;
}

/** The end of a process that is not our child gives no event: look until it is there, with a deadline. */
async function noneLeft(mark: string, pids: readonly number[]): Promise<void> {
  const deadline = Date.now() + GONE_WITHIN_MS;
  for (;;) {
    const left = [...(await marked(mark)), ...pids.filter(isAlive)];
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`Still running: ${left.map((pid) => describe(pid)).join("; ")}`);
    await pause(20);
  }
}

/** The living processes whose environment carries the mark. */
async function marked(mark: string): Promise<number[]> {
  if (!existsSync("/proc/self/environ")) return markedByPs(mark);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, "utf8").catch(() => "")));
  return pids.filter((_, i) => environments[i]?.includes(mark)).map(Number);
}

function markedByPs(mark: string): number[] {
  const lines = spawnSync("ps", ["axeww", "-o", "pid=,command="], { encoding: "utf8" }).stdout.split("\n");
  return lines.filter((line) => line.includes(mark)).map((line) => Number.parseInt(line, 10));
}

function describe(pid: number): string {
  return spawnSync("ps", ["-o", "pid=,args=", "-p", String(pid)], { encoding: "utf8" }).stdout?.trim() || String(pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function endHard(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it ended by itself meanwhile
  }
}
