/** Takes away what a test or a demo left in a Redis that it was given. Nothing else is touched. */
import { Redis } from "ioredis";

/** @param prefix as given to `createErrand({ prefix })` */
export async function removeKeys(url: string, prefix: string): Promise<number> {
  const redis = new Redis(url, { maxRetriesPerRequest: 2 });
  redis.on("error", () => undefined);
  let removed = 0;
  try {
    for await (const batch of redis.scanStream({ match: `{${prefix}:*}:*`, count: 1000 })) {
      const keys = batch as string[];
      if (keys.length > 0) removed += await redis.unlink(...keys);
    }
    return removed;
  } finally {
    redis.disconnect();
  }
}
