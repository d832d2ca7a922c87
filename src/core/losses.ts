/**
 * Many users' accounts lost within seconds are an outage of the service, not many users who left (facts/peers.md §10): the connection
 * is held as an outage for a while, and nobody is asked to connect again. What is a loss, and what follows from it. Pure.
 */
import type { Parked } from "./journal.ts";
import type { RunState } from "./state.ts";
import { backoffMs, OPERATOR_BACKOFF } from "./retry.ts";
import type { Need } from "./run.ts";
import { type AfterFailure, type AfterLook, type SeenAccount } from "./waiting.ts";

/** When so many `accounts` of one connection are lost `withinMs`, the connection is held as an outage for `holdMs`. */
export interface MassLoss {
  readonly accounts: number;
  readonly withinMs: number;
  readonly holdMs: number;
}

export const DEFAULT_MASS_LOSS: MassLoss = { accounts: 20, withinMs: 60_000, holdMs: 900_000 };

export interface Loss {
  readonly need: Need;
  /** It counts: it has just happened, and this run has not waited for it. */
  readonly fresh: boolean;
  /** Redis or Scalekit ms; a loss that the run itself has witnessed happened at last now. */
  readonly at: number;
}

/**
 * The losses among what a run would wait for: accounts that were ACTIVE for it before, that refuse its calls, or that became EXPIRED
 * or DISCONNECTED not long ago. An account that was never connected, and a scope that is missing, are none.
 */
export function lossesIn(
  state: RunState,
  seen: readonly SeenAccount[],
  after: AfterLook,
  withinMs: number,
  now: number,
): readonly Loss[] {
  return needsOf(after).flatMap((need): Loss[] => {
    if (need.reason === "missing-scope") return [];
    const { connection } = need;
    const changedAt = seen.find((account) => account.connection === connection)?.updatedAt;
    const witnessed =
      state.prepared?.accounts[connection] !== undefined && !hasWaited(state, connection, now - withinMs);
    const ended = need.reason === "expired" || need.reason === "disconnected";
    if (!witnessed && !(ended && changedAt !== undefined)) return [];
    const at = witnessed ? now : (changedAt ?? now);
    return [{ need, fresh: now - at <= withinMs && heldParks(state, connection).length === 0, at }];
  });
}

/** Whether a loss belongs to the outage that began at `since`: its first losses came before it was known. */
export function isHeld(loss: Loss, since: number | undefined, withinMs: number): boolean {
  return since !== undefined && loss.at >= since - withinMs;
}

/** Waits for the operator; the accounts are looked at again and again meanwhile. */
export function afterMassLoss(state: RunState, needs: readonly Need[], random: number): AfterFailure {
  const before = Math.max(...needs.map(({ connection }) => heldParks(state, connection).length));
  const names = needs.map(({ connection }) => connection).join(", ");
  const message = `Many users' accounts were lost at once (${names}): taken for an outage, so nobody is asked to connect again yet.`;
  return {
    do: "park",
    park: { kind: "parked", reason: "outage", about: "prepare", needs, message },
    delayMs: backoffMs(before + 1, random, OPERATOR_BACKOFF),
  };
}

function needsOf(after: AfterLook): readonly Need[] {
  switch (after.do) {
    case "park":
      return after.needs;
    case "probe":
      return [{ connection: after.connection, reason: "refused" }];
    case "go-on":
    case "expire":
      return [];
  }
}

/** It was found lost before `before` already, so this is no news. */
function hasWaited(state: RunState, connection: string, before: number): boolean {
  const since = state.prepared?.at ?? 0;
  return state.parks.some(
    (park) => park.reason === "account" && park.at > since && park.at < before && names(park, connection),
  );
}

/**
 * Parks of this turn for an outage of this connection. One is enough: whoever is still lost when the hold is over waits for the user,
 * and does not begin another one.
 */
function heldParks(state: RunState, connection: string): readonly Parked[] {
  const since = state.turns.at(-1)?.at ?? 0;
  return state.parks.filter((park) => park.reason === "outage" && park.at > since && names(park, connection));
}

function names(park: Parked, connection: string): boolean {
  return park.needs?.some((need) => need.connection === connection) ?? false;
}
