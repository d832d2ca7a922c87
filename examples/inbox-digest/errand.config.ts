/** What `errand worker` and `errand enqueue` find. Redis, Scalekit and the model come from the environment: see .env.example. */
import { defineConfig, type ErrandConfig } from "../../src/index.ts";
import { inboxDigest } from "./inbox-digest.ts";

const config: ErrandConfig = defineConfig({ agents: [inboxDigest] });
export default config;
