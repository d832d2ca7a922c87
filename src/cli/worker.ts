/** `errand worker`: works runs until it is told to stop, then hands over those under way. */
import type { WorkerOptions } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line } from "./io.ts";
import { open } from "./open.ts";
import { watchSignals } from "./signals.ts";

export interface WorkerArgs extends GlobalArgs {
  readonly concurrency?: number;
  readonly queue?: readonly string[];
}

/** Resolves when all runs under way are handed over. @throws ErrandError when a check at the start fails */
export async function work(args: WorkerArgs, io: Io): Promise<number> {
  const { errand, options } = await open(args, io, { logLevel: "info", needs: ["scalekit", "models"] });
  const stop = watchSignals();
  try {
    const asked: WorkerOptions = given({ concurrency: args.concurrency, queues: args.queue });
    const worker = errand.worker(asked);
    const queues = args.queue ?? [...new Set(options.agents.map(({ queue }) => queue))];
    const agents = options.agents.map(({ name }) => name);
    const started = await Promise.race([worker.ready().then(() => "ready" as const), stop.asked]);
    if (started === "ready") {
      if (args.json === true) jsonLine(io.stdout, { ready: true, pid: process.pid, agents, queues });
      else line(io.stdout, `errand worker is ready: agents ${agents.join(", ")}; queues ${queues.join(", ")}`);
      await stop.asked;
    }
    if (args.json !== true) line(io.stderr, "errand: stopping after the steps under way; once more to stop at once");
    await worker.close();
    return EXIT.ok;
  } finally {
    await errand.close();
    stop.close();
  }
}
