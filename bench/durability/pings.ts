/** A process that does nothing but ping a Redis, so that what it waits is Redis' time and not its asker's. */
import { Redis } from "ioredis";
import { serve } from "../floor/child.ts";

let redis: Redis | undefined;
let going = false;
let done: Promise<void> = Promise.resolve();
let worst = 0;
let count = 0;

async function ping(client: Redis): Promise<void> {
  while (going) {
    const asked = performance.now();
    await client.ping();
    worst = Math.max(worst, performance.now() - asked);
    count++;
  }
}

serve(
  {
    connect: async (url: string) => {
      redis = new Redis(url);
      await redis.ping();
    },
    start: () => {
      if (redis === undefined) throw new Error("connect first");
      [going, worst, count] = [true, 0, 0];
      done = ping(redis);
    },
    /** ms of the worst ping since the start. */
    stop: async () => {
      going = false;
      await done;
      return { worst, count };
    },
  },
  () => redis?.disconnect(),
);
