/** `errand demo`, with the Redis of REDIS_URL. A signal ends it early, with nothing left behind. */
import { configFromEnv, loadLiveConfig } from "../index.ts";
import { given, type Io } from "./io.ts";
import { codeOfSignal, watchSignals } from "./signals.ts";

export interface DemoArgs {
  readonly mbox?: string;
  readonly live?: boolean;
  readonly identifier?: string;
  readonly connection?: string;
}

/** @throws ErrandError, with --live of what is missing in the environment */
export async function runDemo(args: DemoArgs, io: Io): Promise<number> {
  const { demo } = args.live === true ? await live(args, io) : await offline(args, io);
  const stop = watchSignals();
  try {
    return await demo(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return codeOfSignal(await stop.asked);
  } finally {
    stop.close();
  }
}

interface Prepared {
  readonly demo: (signal: AbortSignal) => Promise<number>;
}

async function offline({ mbox }: DemoArgs, { env }: Io): Promise<Prepared> {
  const { redis } = configFromEnv(env, ["redis"]);
  const { demo } = await import("./demo/demo.ts");
  const { stdout: out, stdin: input } = process;
  return { demo: (signal) => demo({ redis, out, input, signal, ...given({ mbox }) }) };
}

/** What the emulators are made of is not loaded. */
async function live({ identifier = "demo-user", connection = "gmail" }: DemoArgs, io: Io): Promise<Prepared> {
  const config = loadLiveConfig(given({ cwd: io.cwd, env: io.env }));
  const { liveDemo } = await import("./demo/live.ts");
  return { demo: (signal) => liveDemo({ config, identifier, connection, out: process.stdout, signal }) };
}
