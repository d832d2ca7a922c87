/** Ways out of the loop: a run parks until a moment, or ends. */
import type { Agent } from "../core/agent.ts";
import { withText } from "../core/endings.ts";
import type { Ended } from "../core/journal.ts";
import type { AfterFailure } from "../core/waiting.ts";
import { pausedSince, switchGate } from "../core/switches.ts";
import type { Ending, Left } from "./loop.ts";
import { type HeldRun, LeaseLost, type Stopped } from "./held.ts";

/** The worker stops at once, or lost its ticket: the run must be let go, but as far as we know it is ours. */
export function isStopped(held: HeldRun): boolean {
  return held.signal.aborted && !(held.signal.reason instanceof LeaseLost);
}

export async function end(held: HeldRun, ended: Ended): Promise<Ending> {
  held.note(withText(ended, held.state));
  await held.flush({ to: "end", status: ended.status });
  return ended.status;
}

/** The app's own code threw. Doing it again would throw again, so the run ends, and says whose fault it was. */
export function endByAgentError(held: HeldRun, agent: Agent, where: string, error: unknown): Promise<Ending> {
  const told = error instanceof Error ? `${error.name}: ${error.message.slice(0, 500)}` : "something that is no Error";
  const message = `The ${where} of agent "${agent.name}" threw ${told}`;
  return end(held, { kind: "ended", status: "failed", code: "agent-error", message });
}

/** Until it is resumed, or the run has waited for that as long as it may. */
export async function pause(held: HeldRun, agent: Agent, { by, version }: Stopped): Promise<Left> {
  // What was bought is kept, also if it has been resumed meanwhile.
  await held.flush();
  const expiresAfterMs = held.state.context?.expiresAfterMs ?? agent.expiresAfterMs;
  const until = Math.round((pausedSince(held.state) ?? held.now()) + expiresAfterMs);
  const message = `${by.replace(":", " ")} is paused`;
  if (held.now() >= until)
    return end(held, { kind: "ended", status: "expired", message: `${message}, and was not resumed in time.` });
  held.note({ kind: "parked", reason: "paused", about: by, message });
  return (await held.flush({ to: "gate", gate: switchGate(by), version, until })) ? "parked" : undefined;
}

export async function parkOrEnd(held: HeldRun, after: AfterFailure): Promise<Ending> {
  if (after.do === "end") return end(held, after.end);
  const until = Math.round(held.now() + after.delayMs);
  held.note({ until, ...after.park });
  await held.flush({ to: "moment", until });
  return "parked";
}
