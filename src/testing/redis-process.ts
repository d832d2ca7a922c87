/**
 * Owns one process of a Redis server: finds the program, starts it under a watch that ends it with us, and tells when it
 * answers.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as after } from "node:timers/promises";
import { Redis } from "ioredis";

/** A program that is a Redis server when it is started under the name `argv0`. */
export interface RedisProgram {
  readonly file: string;
  readonly argv0: string;
}

/** redis-tools and valkey-tools of Debian and Ubuntu hold the server too: their file checker is the same binary. */
const PROGRAMS: readonly RedisProgram[] = [
  { file: "redis-server", argv0: "redis-server" },
  { file: "valkey-server", argv0: "valkey-server" },
  { file: "redis-check-rdb", argv0: "redis-server" },
  { file: "valkey-check-rdb", argv0: "valkey-server" },
];

const READY_WITHIN_MS = 15_000;

/** The first Redis or Valkey server on PATH that tells its version, or undefined. */
export function findRedis(): RedisProgram | undefined {
  return PROGRAMS.find(({ file, argv0 }) => {
    const answer = spawnSync(file, ["--version"], { argv0, timeout: 5_000, encoding: "utf8" });
    return answer.status === 0 && / server v=/.test(answer.stdout);
  });
}

export interface Running {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Resolves when the process and its watch have ended. */
  readonly gone: Promise<void>;
}

/**
 * The watch: a shell that reads a pipe only we can write to. First line: the pid to watch. A second line: all is well, it has
 * ended. The end of the pipe instead: we died, however we died, so end it and remove its folder.
 */
const WATCH = `
trap '' HUP INT TERM
PATH=$PATH:/usr/bin:/bin
if read -r pid; then
  read -r _ && exit 0
  kill "$pid"
  n=0
  while kill -0 "$pid" && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
  kill -9 "$pid"
fi
rm -rf "$1"`;

/** Starts the program; `dir` is removed with it if we die. Throws when there is no such program. */
export function launch(program: RedisProgram, args: string[], dir: string): Running {
  const watch = spawn("/bin/sh", ["-c", WATCH, "sh", dir], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  watch.stdin.on("error", () => undefined); // someone ended the watch: nothing to tell it
  const watchGone = once(watch, "exit");
  // Detached: a Ctrl-C at the terminal is for the program, which still needs its Redis to stop well.
  const server = spawn(program.file, args, { argv0: program.argv0, stdio: "ignore", detached: true });
  const gone = once(server, "exit").then(async () => {
    watch.stdin.end("ended\n");
    await watchGone;
  });
  if (server.pid === undefined) {
    watch.stdin.end();
    gone.catch(() => undefined); // the same error, told below
    throw new Error(`${program.file} could not be started: is it on PATH?`);
  }
  watch.stdin.write(`${server.pid}\n`);
  return { process: server, pid: server.pid, gone };
}

/** Resolves when the server at `url` is the process we started and has loaded its data. */
export async function answering(url: string, running: Running): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 10, maxRetriesPerRequest: null });
  client.on("error", () => undefined); // refused until it listens
  const deadline = new AbortController();
  try {
    const info = await Promise.race([
      client.info("server"),
      running.gone.then(() => "it ended"),
      after(READY_WITHIN_MS, "it did not answer in time", { signal: deadline.signal }),
    ]);
    if (!info.includes(`process_id:${running.pid}\r\n`)) throw new Error(info.startsWith("#") ? "port taken" : info);
  } finally {
    deadline.abort();
    client.disconnect();
  }
}
