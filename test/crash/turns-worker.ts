/** A worker process of turns.test.ts, as an app would write it. It is only ever killed. */
import { createErrand } from "../../src/index.ts";
import { turnsOptions, type TurnsSurroundings } from "./turns-world.ts";

const errand = createErrand(turnsOptions(JSON.parse(process.argv[2] ?? "") as TurnsSurroundings));
// Without its parent a worker has nothing to do.
process.once("disconnect", () => process.exit(3));
await errand.worker({ concurrency: 4, wakeEveryMs: 100 }).ready();
process.send?.("working");
