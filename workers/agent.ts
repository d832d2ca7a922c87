/** Works runs: `node --import tsx workers/agent.ts [--health-port=9464]`. Run as many as you like. */
import { runWorker } from "./process.ts";

await runWorker("agent worker", { wake: true });
