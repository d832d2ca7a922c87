/** How long Redis keeps others waiting while something is done to it. */
import { type Child, startChild } from "../floor/child.ts";

export interface Waits {
  /** ms of the worst ping from another process while `work` ran, and ms that `work` took. */
  during(work: () => Promise<unknown>): Promise<{ readonly worstPingMs: number; readonly tookMs: number }>;
  close(): Promise<void>;
}

export async function openWaits(url: string): Promise<Waits> {
  const pings: Child = startChild("../durability/pings.ts");
  await pings.order("connect", url);
  return {
    during: async (work) => {
      await pings.order("start");
      const started = performance.now();
      await work();
      const tookMs = performance.now() - started;
      const { worst } = await pings.order<{ worst: number }>("stop");
      return { worstPingMs: worst, tookMs };
    },
    close: () => pings.stop(),
  };
}
