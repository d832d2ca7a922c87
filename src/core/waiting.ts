/** What follows from a look at the accounts, and from a failed attempt: go on, or wait for whom and how long. */
import { pendingSubs, standing } from "./calls.ts";
import type { Ended, Parked } from "./journal.ts";
import type { RunState } from "./state.ts";
import type { ModelFailure } from "./messages.ts";
import { needFor } from "./needs.ts";
import { attemptsOf } from "./next.ts";
import { reasonOf, type Refusal } from "./outcome.ts";
import { backoffMs, MODEL_RETRY, OPERATOR_BACKOFF, OUTAGE_BACKOFF, TOOL_RETRY } from "./retry.ts";
import type { AccountStatus, Need } from "./run.ts";

/** One account as it was seen. `accountId` is empty while there is none. */
export interface SeenAccount {
  readonly connection: string;
  readonly status: AccountStatus;
  readonly accountId: string;
  /** Scalekit's ms of the last change, if it told one. */
  readonly updatedAt?: number;
}

export type AfterLook =
  | { readonly do: "go-on" }
  /** Wait for all of them. `after`: being ACTIVE is not enough, the user must have connected since then (Redis ms). */
  | { readonly do: "park"; readonly needs: readonly Need[]; readonly after?: number }
  | { readonly do: "probe"; readonly about: string; readonly connection: string; readonly delayMs: number }
  | { readonly do: "expire"; readonly needs: readonly Need[] };

/** An account that was just connected may refuse calls for 30 to 60 s (seen in the field: facts/peers.md): 2+4+8+16+32 s at least. */
const PROBES = 5;
const PROBE_MS = 2_000;

export function afterLook(
  state: RunState,
  seen: readonly SeenAccount[],
  expiresAfterMs: number,
  now: number,
  random: number,
): AfterLook {
  const needs = seen.flatMap(({ connection, status }) => {
    const reason = needFor(status);
    return reason === undefined ? [] : [{ connection, reason }];
  });
  const refusal = openRefusal(state, seen, now);
  if (needs.length === 0 && refusal === undefined) return { do: "go-on" };
  const since = waitingSince(state);
  const expired = since !== undefined && now >= since + expiresAfterMs;
  if (refusal === undefined || needs.length > 0) return expired ? { do: "expire", needs } : { do: "park", needs };
  const { connection } = refusal;
  const refused: Need = { connection, reason: refusal.why === "scope" ? "missing-scope" : "refused" };
  if (expired) return { do: "expire", needs: [refused] };
  const probes = state.parks.filter((park) => park.reason === "probe" && park.about === refusal.call).length;
  if (refusal.why === "scope" || probes >= PROBES) return { do: "park", needs: [refused], after: refusal.at };
  return {
    do: "probe",
    about: refusal.call,
    connection,
    delayMs: Math.round(PROBE_MS * 2 ** probes * (1 + random / 4)),
  };
}

interface OpenRefusal {
  readonly call: string;
  readonly connection: string;
  readonly why: "account" | "scope";
  /** Redis ms. */
  readonly at: number;
}

/** A call that its account refused, for which the run has not waited yet, and since which the user has not connected again. */
function openRefusal(state: RunState, seen: readonly SeenAccount[], now: number): OpenRefusal | undefined {
  const looks = Object.values(state.looks).map(({ look }) => look);
  const plan = state.turns.at(-1)?.plan ?? [];
  for (const call of [...plan, ...plan.flatMap((it) => pendingSubs(state, it, now)), ...looks]) {
    if (call.verdict !== "run") continue;
    const at = standing(state, call, Infinity, now);
    if (at.is !== "blocked") continue;
    const waited = state.parks.some((park) => park.at >= at.evidence.at && isWaitFor(park, call.connection));
    const anew = seen.some((it) => it.connection === call.connection && (it.updatedAt ?? 0) > at.evidence.at);
    if (!waited && !anew) return { call: call.id, connection: call.connection, why: at.why, at: at.evidence.at };
  }
  return undefined;
}

/** For the account itself, or for an outage that took it among many (losses.ts). */
function isWaitFor({ reason, needs = [] }: Parked, connection: string): boolean {
  if (reason === "outage") return needs.some((need) => need.connection === connection);
  return reason === "account" || reason === "probe";
}

/** Redis ms of the first of the series of parks for accounts that has not been ended by a preparation. */
export function waitingSince(state: RunState): number | undefined {
  const parks = state.parks.filter((park) => park.reason === "account" && park.at > (state.prepared?.at ?? 0));
  return parks[0]?.at;
}

export type AfterFailure =
  | { readonly do: "park"; readonly park: Parked; readonly delayMs: number }
  | { readonly do: "end"; readonly end: Ended };

/** A failed attempt at turn `turn`. Only the attempts of this step count, and waits for the operator are none. */
export function afterModelFailure(
  state: RunState,
  turn: number,
  failure: ModelFailure,
  attempts: number,
  random: number,
): AfterFailure {
  const about = `t${turn}`;
  const { parks, counts, backoff, ends } = MODEL_RETRY[failure.class];
  const failed = attemptsOf(state, about, parks) + 1;
  const code = ends ?? (counts && failed >= attempts ? "model-unavailable" : undefined);
  const { message } = failure;
  if (code !== undefined) return { do: "end", end: { kind: "ended", status: "failed", code, message } };
  return {
    do: "park",
    park: { kind: "parked", reason: parks, about, message },
    delayMs: backoffMs(failed, random, backoff, failure.retryAfterMs),
  };
}

/** Scalekit itself could not be asked: never the user's fault, so no link is sent and nothing is counted against the run. */
export function afterOutage(state: RunState, message: string, random: number): AfterFailure {
  const since = state.prepared?.at ?? 0;
  const failed = state.parks.filter((park) => park.about === "prepare" && park.at > since).length + 1;
  return {
    do: "park",
    park: { kind: "parked", reason: "outage", about: "prepare", message },
    delayMs: backoffMs(failed, random, OUTAGE_BACKOFF),
  };
}

/** Tools that the app reviewed have another definition now: the run waits for the review, and goes on by itself once it is deployed. */
export function afterToolsChanged(state: RunState, tools: readonly string[], random: number): AfterFailure {
  const since = state.prepared?.at ?? 0;
  const parks = state.parks.filter(({ reason, about, at }) => reason === "review" && about === "prepare" && at > since);
  const message = `The definition of ${tools.join(", ")} is not the one that was reviewed. Read what has changed: errand tools classify`;
  return {
    do: "park",
    park: { kind: "parked", reason: "review", about: "prepare", message },
    delayMs: backoffMs(parks.length + 1, random, OPERATOR_BACKOFF),
  };
}

/** A call that was certainly not executed, or that may be repeated, waits before its next attempt. */
export function afterCallFailure(
  call: string,
  retry: { failed: number; why: Refusal; message: string; retryAfterMs: number },
  random: number,
): AfterFailure {
  const reason = reasonOf(retry.why);
  return {
    do: "park",
    park: { kind: "parked", reason, about: call, message: retry.message },
    delayMs: backoffMs(retry.failed, random, TOOL_RETRY[retry.why], retry.retryAfterMs),
  };
}
