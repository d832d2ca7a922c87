/**
 * Owns a private Redis: its own process, folder and port on loopback, with an append-only file, for tests that kill and
 * restart it and for the demo. Nothing of it outlives this process, even after kill -9.
 */
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answering, findRedis, launch } from "./redis-process.ts";
import type { RedisProgram, Running } from "./redis-process.ts";

export { findRedis } from "./redis-process.ts";
export type { RedisProgram } from "./redis-process.ts";

export interface RedisOptions {
  /** Asked of every client. Default: none. */
  readonly password?: string;
  /** More directives, over ours: `{ maxmemory: "20mb" }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Default: what `findRedis` finds. */
  readonly program?: RedisProgram;
}

/** A running Redis. Its port, password and data stay the same over `restart`; its pid does not. */
export interface RedisServer {
  /** `redis://[:password@]127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** Sends a signal (default SIGKILL). Resolves when the process is gone; at once for SIGSTOP and SIGCONT. */
  kill(signal?: RedisSignal): Promise<void>;
  /** Ends it if it runs, and starts it again with the data on disk. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

export type RedisSignal = "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT";

const PORT_TRIES = 5;

/** Starts a private Redis on a free port. Throws when there is no server on PATH or it does not come up. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = options.program ?? findRedis();
  if (program === undefined) {
    throw new Error(
      "Expected redis-server or valkey-server on PATH, found neither: install one (Debian and Ubuntu: redis-tools; macOS: brew install redis).",
    );
  }
  const dir = await mkdtemp(join(tmpdir(), "errand-redis-"));
  try {
    return await onFreePort(async (port) => {
      const server = new PrivateRedis(program, port, dir, options);
      await server.start();
      return server;
    });
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

class PrivateRedis implements RedisServer {
  readonly port: number;
  readonly dir: string;
  readonly url: string;
  readonly #program: RedisProgram;
  readonly #options: RedisOptions;
  #running: Running | undefined;
  #pid = 0;
  #stopped: Promise<void> | undefined;

  constructor(program: RedisProgram, port: number, dir: string, options: RedisOptions) {
    this.port = port;
    this.dir = dir;
    this.#program = program;
    this.#options = options;
    const credentials = options.password === undefined ? "" : `:${encodeURIComponent(options.password)}@`;
    this.url = `redis://${credentials}127.0.0.1:${port}`;
  }

  get pid(): number {
    return this.#pid;
  }

  async start(): Promise<void> {
    const running = launch(this.#program, this.#directives(), this.dir);
    this.#running = running;
    this.#pid = running.pid;
    try {
      await answering(this.url, running);
    } catch (error) {
      await this.kill("SIGKILL");
      throw new Error(`${this.#program.file} did not come up on port ${this.port}: ${await this.#lastWords()}`, {
        cause: error,
      });
    }
  }

  async kill(signal: RedisSignal = "SIGKILL"): Promise<void> {
    if (this.#running === undefined) return;
    this.#running.process.kill(signal);
    if (signal === "SIGSTOP" || signal === "SIGCONT") return;
    await this.#running.gone;
    this.#running = undefined;
  }

  async restart(): Promise<void> {
    if (this.#stopped !== undefined) throw new Error("This Redis was stopped and its data removed: start another one.");
    await this.kill("SIGCONT");
    await this.kill("SIGTERM");
    await this.start();
  }

  stop(): Promise<void> {
    // Nobody will read the data again: no need for an orderly end.
    this.#stopped ??= this.kill("SIGKILL").then(() => rm(this.dir, { recursive: true, force: true }));
    return this.#stopped;
  }

  #directives(): string[] {
    const directives: Record<string, string> = {
      port: String(this.port),
      bind: "127.0.0.1",
      save: "",
      appendonly: "yes",
      appendfsync: "everysec",
      "maxmemory-policy": "noeviction",
      dir: this.dir,
      logfile: join(this.dir, "redis.log"),
      ...(this.#options.password === undefined ? {} : { requirepass: this.#options.password }),
      ...this.#options.config,
    };
    return Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value]);
  }

  async #lastWords(): Promise<string> {
    const log = await readFile(join(this.dir, "redis.log"), "utf8").catch(() => "");
    return log.trim().split("\n").slice(-3).join("; ") || "it said nothing";
  }
}

/** Runs `start` on a port that was free a moment ago, and again on another one if it was taken meanwhile. */
async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (tries === PORT_TRIES || !/already in use|port taken/.test(String(error))) throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no port.");
  return address.port;
}
