/** A worker process as its test holds it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { compiled } from "../support/compiled.ts";
import { type Counts, type Order, type Report, type Surroundings, workerName } from "./orders.ts";

export interface WorkerProcess {
  /** As the journal names it. */
  readonly name: string;
  /** Resolves when it takes runs of the store. */
  work(order: Omit<Extract<Order, { do: "work" }>, "do">): Promise<void>;
  /** Resolves when the run is held in it, in the past or the future. */
  held(run: string): Promise<void>;
  tell(order: Order): void;
  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM"): void;
  /** SIGTERM. Resolves when the worker has begun to stop. */
  terminate(): Promise<void>;
  readonly ended: Promise<WorkerEnd>;
  /** Warnings and errors so far. */
  readonly log: readonly string[];
}

export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Only of a worker that stopped in good order. */
  readonly counts?: Counts;
}

const WORKER = new URL("worker.ts", import.meta.url);

/** Resolves when it is loaded and waits for orders. It is killed when `scope` is left. */
export async function startWorkerProcess(surroundings: Surroundings, scope: Scope): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [await compiled(WORKER), JSON.stringify(surroundings)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const reports = collect(child);
  let counts: Counts | undefined;
  void reports
    .first((report) => report.is === "stopped")
    .then(
      (report) => (counts = report.is === "stopped" ? report.counts : undefined),
      () => undefined,
    );
  const ended = once(child, "close").then(([code, signal]): WorkerEnd => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    ...(counts !== undefined && { counts }),
  }));
  scope.onLeave(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const tell = (order: Order): void => void child.send(order);
  await reports.first((report) => report.is === "ready");
  return {
    name: workerName(child.pid ?? 0),
    work: async (order) => {
      tell({ do: "work", ...order });
      await reports.first((report) => report.is === "working" && report.prefix === order.prefix);
    },
    held: async (run) => void (await reports.first((report) => report.is === "held" && report.run === run)),
    tell,
    signal: (signal) => void child.kill(signal),
    terminate: async () => {
      child.kill("SIGTERM");
      await reports.first((report) => report.is === "stopping");
    },
    ended,
    log: reports.log,
  };
}

/** Whoever cleans up: a test, or the matrix program. */
export interface Scope {
  onLeave(work: () => Promise<unknown>): void;
}

interface Reports {
  readonly log: readonly string[];
  /** The first one, past or future. Rejects when the process ends without it. */
  first(fits: (report: Report) => boolean): Promise<Report>;
}

function collect(child: ChildProcess): Reports {
  const seen: Report[] = [];
  const log: string[] = [];
  const waiting = new Set<(report?: Report) => void>();
  let over = false;
  child.on("message", (message) => {
    const report = message as Report;
    if (report.is === "log") return void log.push(report.line);
    seen.push(report);
    for (const look of waiting) look(report);
  });
  child.once("close", () => {
    over = true;
    for (const look of waiting) look();
  });
  const first = (fits: (report: Report) => boolean): Promise<Report> =>
    new Promise((resolve, reject) => {
      const look = (report?: Report): void => {
        if (report !== undefined && !fits(report)) return;
        waiting.delete(look);
        if (report !== undefined) resolve(report);
        else reject(new Error(`The worker process ended too early. It logged: ${log.join("\n") || "nothing"}`));
      };
      const past = seen.find(fits);
      if (past !== undefined || over) look(past);
      else waiting.add(look);
    });
  return { log, first };
}
