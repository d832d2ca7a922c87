/** `errand demo`, with the Redis of REDIS_URL. A signal ends it early, with nothing left behind. */
import { configFromEnv } from "../index.ts";
import { demo } from "./demo/demo.ts";
import { codeOfSignal, watchSignals } from "./signals.ts";

export async function runDemo(mbox: string | undefined): Promise<number> {
  const { redis } = configFromEnv(undefined, ["redis"]);
  const stop = watchSignals();
  try {
    return await demo({
      redis,
      ...(mbox !== undefined && { mbox }),
      out: process.stdout,
      input: process.stdin,
      signal: stop.signal,
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return codeOfSignal(await stop.asked);
  } finally {
    stop.close();
  }
}
