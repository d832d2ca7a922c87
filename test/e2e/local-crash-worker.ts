/** A worker whose tool takes its process down after two of four mails. `SCENE`: what to connect to, as JSON. */
import { pino } from "pino";
import { createErrand, type ErrandOptions } from "../../src/index.ts";
import { mailingAgent } from "./local-crash-agent.ts";

const scene = JSON.parse(process.env["SCENE"] ?? "{}") as Pick<
  ErrandOptions,
  "redis" | "prefix" | "scalekit" | "models"
>;
createErrand({
  ...scene,
  leaseMs: 1_000,
  logger: pino({ level: "silent" }),
  agents: [mailingAgent((mails) => mails === 2 && process.kill(process.pid, "SIGKILL"))],
}).worker({ wakeEveryMs: 20 });
