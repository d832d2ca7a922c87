/** Works runs: `node --import tsx workers/agent.ts [--config=FILE] [--health-port=9464]`. Run as many as you like. */
import { runWorker } from "./process.ts";

await runWorker("agent worker", { wake: true });
