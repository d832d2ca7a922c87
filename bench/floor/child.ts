/** Processes of the benchmark: each serves orders that its parent sends, one at a time, and ends with its parent. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

export interface Child {
  /** @throws Error with the child's own words */
  order<T>(name: string, argument?: unknown): Promise<T>;
  stop(): Promise<void>;
  /** SIGKILL: it has no time for anything. Resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts a file of this folder. */
export function startChild(file: string): Child {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, {
    execArgv: [...process.execArgv.filter((word) => !word.startsWith("--cpu-prof")), ...profiling(file)],
  });
  return {
    async order<T>(name: string, argument?: unknown) {
      child.send({ name, argument });
      const reply = await answerOf(child, `${file} ${name}`);
      if (!reply.ok) throw new Error(`${file} ${name}: ${reply.error}`);
      return reply.value as T;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.disconnect();
      await once(child, "exit");
    },
    async kill() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** `--profile=DIR`: a CPU profile of each process, written when it ends. */
function profiling(file: string): string[] {
  const dir = process.argv.find((word) => word.startsWith("--profile="))?.slice("--profile=".length);
  if (dir === undefined) return [];
  return ["--cpu-prof", `--cpu-prof-dir=${dir}/${file.replace("./", "")}`];
}

async function answerOf(child: ChildProcess, what: string): Promise<Reply> {
  const stop = new AbortController();
  try {
    const died = once(child, "exit", { signal: stop.signal }).then((): Reply => {
      throw new Error(`${what}: the process ended`);
    });
    const answered = once(child, "message", { signal: stop.signal }).then(([reply]) => reply as Reply);
    died.catch(() => undefined);
    answered.catch(() => undefined);
    return await Promise.race([answered, died]);
  } finally {
    stop.abort();
  }
}

/** In the child: what to do for each order. `end` runs when the parent lets go. */
export function serve(orders: Readonly<Record<string, (argument: never) => unknown>>, end: () => unknown): void {
  process.on("message", ({ name, argument }: { name: string; argument: never }) => {
    void (async () => {
      let reply: Reply;
      try {
        reply = { ok: true, value: await orders[name]?.(argument) };
      } catch (error) {
        reply = { ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
      }
      process.send?.(reply);
    })();
  });
  process.once("disconnect", () => {
    void (async () => {
      await end();
      process.exit(0);
    })();
  });
}
