/** Only the net: wakes runs, looks at accounts, makes lost tickets again. For deployments whose agent workers scale to nothing. */
import { runWorker } from "./process.ts";

await runWorker("wake worker", { queues: [], wake: true });
