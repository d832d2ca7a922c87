/** The one small loop: ask `next` for the step, do it, note what happened, until the run ends, parks or is handed back. */
import type { Agent } from "../core/agent.ts";
import { next, type Step } from "../core/next.ts";
import { afterCallFailure } from "../core/waiting.ts";
import { giveUp } from "./answer.ts";
import { askApproval, awaitApproval } from "./approve.ts";
import { makeCalls } from "./call.ts";
import { ask, conclude, planLook } from "./doubt.ts";
import { type HeldRun, LeaseLost, NotSent, Stopped } from "./held.ts";
import type { Ending, Left, LoopPorts } from "./loop.ts";
import { prepare } from "./prepare.ts";
import { end, isStopped, parkOrEnd, pause } from "./leave.ts";
import { think } from "./think.ts";

/** @throws whatever the store throws when it cannot be reached; the run is then found by the next looks */
export async function advance(held: HeldRun, agent: Agent, ports: LoopPorts): Promise<Ending> {
  try {
    for (;;) {
      const step = next(held.state, { now: held.now(), cancelled: held.cancelled });
      if (ports.draining() && step.do !== "end") return await handBack(held);
      const left = await take(step, held, agent, ports).catch((error: unknown) => unsent(error, held, agent));
      if (left !== undefined) return left;
    }
  } catch (error) {
    if (error instanceof LeaseLost) return isStopped(held) ? await handBackIfOurs(held) : "lost";
    throw error;
  }
}

/** Why is known, by evidence or by the clock: the next step is what follows from it. What is stopped waits. */
async function unsent(error: unknown, held: HeldRun, agent: Agent): Promise<Left> {
  if (error instanceof Stopped) return pause(held, agent, error);
  if (!(error instanceof NotSent)) throw error;
  return undefined;
}

async function take(step: Step, held: HeldRun, agent: Agent, ports: LoopPorts): Promise<Left> {
  switch (step.do) {
    case "prepare":
      return prepare(held, agent, ports);
    case "think":
      return think(step, held, agent, ports);
    case "wait-limit": {
      const { turn, limit, until, message } = step;
      held.note({ kind: "parked", reason: "budget", about: `t${turn}`, limit, until, message });
      return (await held.flush({ to: "moment", until })) ? "parked" : undefined;
    }
    case "call":
      return makeCalls(step.calls, held, agent, ports);
    case "settle":
      held.note({ kind: "parked", reason: "settling", about: step.call, until: step.until });
      return (await held.flush({ to: "moment", until: step.until })) ? "parked" : undefined;
    case "retry":
      return parkOrEnd(held, afterCallFailure(step.call, step.standing, ports.chance.random()));
    case "plan-look":
      return planLook(step, held, agent, ports);
    case "conclude":
      return conclude(step, held, agent, ports);
    case "record": {
      const { id, name, argsHash } = step.call;
      held.note({ kind: "unknown", call: id, intent: step.intent, tool: name, argsHash });
      return undefined;
    }
    case "ask":
      return ask(step, held);
    case "ask-approval":
      return askApproval(step, held, ports);
    case "await-approval":
      return awaitApproval(step, held);
    case "end": {
      const { state } = held;
      const ending = await end(held, step.end);
      await giveUp({ state }, ports);
      return ending;
    }
  }
}

/** Stopped in the middle of a step: that is no crash, and nobody has to wait for the lease to end. */
async function handBackIfOurs(held: HeldRun): Promise<Ending> {
  try {
    return await handBack(held);
  } catch (error) {
    if (error instanceof LeaseLost) return "lost";
    throw error;
  }
}

async function handBack(held: HeldRun): Promise<Ending> {
  held.note({ kind: "yielded" });
  await held.flush({ to: "line", ...(held.state.accepted !== undefined && { keeps: true }) });
  return "yielded";
}
