/** Only fires schedules: needs Redis and the agents, no models and no Scalekit. Beside workers that do not (`tick: false`), or to be sure. */
import { runWorker } from "./process.ts";

await runWorker("schedule worker", { queues: [], wake: false, tick: true }, []);
