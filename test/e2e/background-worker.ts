/** A worker that is killed while it waits for an answer in the background. `SCENE`: what to connect to, as JSON. */
import { pino } from "pino";
import { createErrand, type ErrandOptions } from "../../src/index.ts";
import { thinker } from "./background-agent.ts";

const scene = JSON.parse(process.env["SCENE"] ?? "{}") as Omit<ErrandOptions, "agents">;
createErrand({ ...scene, logger: pino({ level: "silent" }), agents: [thinker] }).worker({ wakeEveryMs: 20 });
