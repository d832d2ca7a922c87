/**
 * One worker's work on one run: claim → advance → let go. What BullMQ is told at the end is only whether its ticket is used up.
 *
 * `used` the ticket may go: the run ended, parked, was handed back, belongs to somebody else, or is found by the next looks.
 * `later` the run's lease lives in another worker: come back after it.
 */
import { hash } from "node:crypto";
import type { Agent } from "../core/agent.ts";
import { advance } from "../loop/advance.ts";
import type { Ending, LoopPorts } from "../loop/loop.ts";
import type { HeldRun } from "../loop/held.ts";
import { dayMeter } from "../loop/days.ts";
import type { Journal } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";
import { letGo, readOr } from "./unreadable.ts";

export type Shift =
  | { readonly is: "used"; readonly ending?: Ending }
  | { readonly is: "later"; readonly until: number };

export interface ShiftPorts extends Omit<LoopPorts, "hash" | "draining"> {
  readonly journal: Journal;
  readonly log: Log;
  /** Names this worker in the journal. */
  readonly worker: string;
  readonly draining?: () => boolean;
}

export interface ShiftOptions {
  readonly run: string;
  readonly ticket: string;
  readonly agentOf: (name: string) => Agent | undefined;
  /** Told once the run is held, so that a worker that stops at once can abort it. */
  readonly onHeld?: (abort: AbortController) => void;
}

export async function workShift(ports: ShiftPorts, { run, ticket, agentOf, onHeld }: ShiftOptions): Promise<Shift> {
  const { journal, clock, chance, log, worker } = ports;
  const askedAt = clock.monotonic();
  const claim = await journal.claim(run, { nonce: chance.nonce(), worker, ticket });
  if (claim.answer === "busy") return { is: "later", until: claim.until };
  if (claim.answer !== "claimed" && claim.answer !== "unreadable") {
    log.info("ticket.dropped", { run, why: claim.answer });
    return { is: "used" };
  }
  const abort = new AbortController();
  const held = readOr(claim, { journal, clock, chance, abort, askedAt, meter: dayMeter(ports) });
  if ("why" in held) return { is: "used", ...(await letGo(held, ports)) };
  const agent = agentOf(held.state.created.agent);
  if (agent === undefined) {
    log.error("run.agent-unknown", { run, agent: held.state.created.agent });
    return { is: "used" };
  }
  onHeld?.(abort);
  const renewal = renewing(held, journal.leaseMs, log);
  try {
    const loop: LoopPorts = { ...ports, hash: digest, draining: ports.draining ?? (() => false) };
    const ending = await advance(held, agent, loop);
    log.info("run.left", { run, agent: agent.name, ending, turns: held.state.turns.length });
    return { is: "used", ending };
  } finally {
    clearInterval(renewal);
  }
}

function renewing(held: HeldRun, leaseMs: number, log: Log): NodeJS.Timeout {
  return setInterval(() => {
    // A renewal that cannot be made is no end by itself: the monotonic check before each send is.
    held
      .renew()
      .catch((error: unknown) =>
        log.warn("lease.not-renewed", { run: held.id, error: error instanceof Error ? error.name : "unknown" }),
      );
  }, leaseMs / 3);
}

/** Of arguments, keys and the like: short, and equal for equal texts. */
export function digest(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 22);
}
