/** Ways out of the loop: a run parks until a moment, or ends. */
import type { Agent } from "../core/agent.ts";
import type { Ended } from "../core/journal.ts";
import type { AfterFailure } from "../core/waiting.ts";
import type { Ending } from "./loop.ts";
import { type HeldRun, LeaseLost } from "./held.ts";

/** The worker stops at once, or lost its ticket: the run must be let go, but as far as we know it is ours. */
export function isStopped(held: HeldRun): boolean {
  return held.signal.aborted && !(held.signal.reason instanceof LeaseLost);
}

export async function end(held: HeldRun, ended: Ended): Promise<Ending> {
  held.note(ended);
  await held.flush({ to: "end", status: ended.status });
  return ended.status;
}

/** The app's own code threw. Doing it again would throw again, so the run ends, and says whose fault it was. */
export function endByAgentError(held: HeldRun, agent: Agent, where: string, error: unknown): Promise<Ending> {
  const told = error instanceof Error ? `${error.name}: ${error.message.slice(0, 500)}` : "something that is no Error";
  const message = `The ${where} of agent "${agent.name}" threw ${told}`;
  return end(held, { kind: "ended", status: "failed", code: "agent-error", message });
}

export async function parkOrEnd(held: HeldRun, after: AfterFailure): Promise<Ending> {
  if (after.do === "end") return end(held, after.end);
  const until = Math.round(held.now() + after.delayMs);
  held.note({ ...after.park, until });
  await held.flush({ to: "moment", until });
  return "parked";
}
