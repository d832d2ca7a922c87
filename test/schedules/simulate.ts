/**
 * `npm run simulate:schedules -- [--seed S] [--schedules N] [--days D]`: default 1,000 schedules for a year, on the Redis of REDIS_URL or
 * one of its own. The last line is JSON; leaves with 1 when a nominal time is not accounted for exactly once.
 */
import { parseArgs } from "node:util";
import { connect } from "../../src/queue/connect.ts";
import { DEFAULT_STORE, openStore } from "../../src/queue/store.ts";
import { startRedis } from "../../src/testing/index.ts";
import { manualTime } from "../support/manual-time.ts";
import { START } from "../support/schedules.ts";
import { simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    schedules: { type: "string", default: "1000" },
    days: { type: "string", default: "365" },
  },
});
const { seed, schedules, days } = {
  seed: Number(values.seed),
  schedules: Number(values.schedules),
  days: Number(values.days),
};
const own = await startRedis();
const connection = connect(own.url, true);
try {
  const time = await manualTime(openStore(connection.redis, "simulation", DEFAULT_STORE), START);
  const began = performance.now();
  const told = await simulate(time, {
    seed,
    schedules,
    days,
    onDay: (day, so) => {
      if (day % 10 === 0) process.stdout.write(`day ${day}: ${so.runs} runs, ${so.kills} kills\n`);
    },
  });
  const seconds = Math.round((performance.now() - began) / 1_000);
  process.stdout.write(`${JSON.stringify({ seed, schedules, days, ...told, seconds })}\n`);
} finally {
  await connection.close();
  await own.stop();
}
