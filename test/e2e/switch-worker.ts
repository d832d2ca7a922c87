/** A worker with one slot. `SCENE`: what to connect to, as JSON. */
import { pino } from "pino";
import { createErrand, type ErrandOptions } from "../../src/index.ts";
import { looker } from "./switch-agent.ts";

const scene = JSON.parse(process.env["SCENE"] ?? "{}") as Omit<ErrandOptions, "agents">;
createErrand({ ...scene, logger: pino({ level: "silent" }), agents: [looker] }).worker({
  concurrency: 1,
  wakeEveryMs: 50,
});
