/** A worker process as an app would write it: nothing in it knows of faults. Its log goes to stderr, which its parent keeps. */
import { createErrand } from "../../src/index.ts";
import { errandOptions, type Report, type Surroundings } from "./surroundings.ts";

const given = JSON.parse(process.argv[2] ?? "") as Surroundings;
const tell = (report: Report): void => void process.send?.(report);
const errand = createErrand(errandOptions(given));
const worker = errand.worker({ concurrency: given.concurrency, wakeEveryMs: 100 });

/** Ends by itself: whatever it would leave open keeps it alive, and its parent counts that. */
const stop = async (): Promise<void> => {
  await errand.close();
  if (process.connected) process.disconnect();
};
process.once("SIGTERM", () => void stop());
// Without its parent a worker has nothing to do.
process.once("disconnect", () => setTimeout(() => process.exit(3), 10_000).unref());

try {
  await worker.ready();
  tell("working");
} catch {
  // Redis was away while it started: as in production, whoever started it does so again.
  tell("not-started");
  process.exitCode = 1;
  await stop();
}
