/** The journal and the gates on Redis. Each method is one script; tickets that a script made are added to BullMQ at once. */
import type { DayCount } from "../core/day-counts.ts";
import { isIntent } from "../core/intents.ts";
import type { Entry, Parked } from "../core/journal.ts";
import { leasesAtEnd } from "../core/leases.ts";
import type { NeedReason } from "../core/run.ts";
import type { Gates } from "../ports/gates.ts";
import type { Claim, ClaimReply, CommitReply, Journal, Move, Unreadable } from "../ports/journal.ts";
import { keepBlob, readBlob } from "./blobs.ts";
import { decodeDecision, decodeEvidence, decodeTickets, hashValues, isLease, whyUnreadable } from "./codec.ts";
import { CLAIM } from "./scripts/claim.ts";
import { COMMIT } from "./scripts/commit.ts";
import { EVIDENCE } from "./scripts/evidence.ts";
import { LOOKED } from "./scripts/looked.ts";
import { OPEN } from "./scripts/open.ts";
import { RENEW } from "./scripts/renew.ts";
import { inSlices, type Pause } from "./slices.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";

export function redisJournal(store: Store, tickets: Tickets): Journal {
  return {
    leaseMs: store.options.leaseMs,
    claim: async (run, { ticket, nonce, worker }) => {
      const leased: Entry = { kind: "leased", worker };
      const reply = await store.run(CLAIM, run, ticket ?? "", nonce, JSON.stringify(leased));
      if (reply[0] === "newer") await tickets.add(decodeTickets(reply.slice(1)));
      return claimReply(run, reply);
    },
    renew: async (run, epoch) => {
      const [answer, cancelled] = await store.run(RENEW, run, epoch);
      return answer === "ok" ? { answer, cancelled: cancelled === "1" } : { answer: "fenced" };
    },
    commit: async ({ run, epoch, length, nonce, entries, uses, move, ask, settle, count }) => {
      const asked = {
        ...(ask !== undefined && { ask }),
        ...(settle !== undefined && { settle }),
        ...(count !== undefined && { count }),
      };
      const args = [run, epoch, length, nonce, JSON.stringify({ ...moveOf(move, entries, uses), ...asked })];
      const texts = entries.map((entry) => JSON.stringify(entry));
      // What an intent announces is done only if the intent is there after a failover as well.
      const { reply, kept } = entries.some((entry) => entry.kind === "call-claimed")
        ? await store.runKept(COMMIT, ...args, ...texts)
        : { reply: await store.run(COMMIT, ...args, ...texts), kept: true };
      if (reply[0] === "short") return shortReply(reply);
      if (reply[0] === "closed") return closedReply(reply);
      await tickets.add(decodeTickets(reply.slice(reply[0] === "parked" ? 4 : 3)));
      return commitReply(reply, kept);
    },
    evidence: async (run, evidence) => {
      const [answer, what] = await store.run(
        EVIDENCE,
        run,
        evidence.nonce,
        JSON.stringify(evidence),
        evidence.outcome.kind === "unknown" ? "" : "1",
      );
      if (answer === "gone") return undefined;
      return answer === "ok" ? { ...evidence, at: Number(what) } : decodeEvidence(String(what));
    },
    keep: (run, nonce, text) => keepBlob(store, run, nonce, text),
    kept: (run, nonce, pieces) => readBlob(store, run, nonce, { pieces }),
  };
}

function claimReply(run: string, reply: readonly unknown[]): ClaimReply {
  const [answer, first, second, third, decisions, evidence] = reply;
  switch (answer) {
    case "claimed":
      return readClaim(
        { run, epoch: Number(first), now: Number(second), cancelled: third === "1" },
        decisions as string[],
        hashValues(evidence as string[]),
      );
    case "busy":
      return { answer, until: Number(first) };
    case "stale":
    case "gone":
    case "newer":
      return { answer };
    default:
      throw new Error(`claim: unknown answer ${JSON.stringify(answer)}`);
  }
}

type Leased = Pick<Claim, "run" | "epoch" | "now" | "cancelled">;

function readClaim(leased: Leased, decisions: readonly string[], evidence: readonly string[]): Claim | Unreadable {
  try {
    return {
      answer: "claimed",
      ...leased,
      decisions: decisions.map(decodeDecision),
      evidence: evidence.map(decodeEvidence),
    };
  } catch (error) {
    const { run, epoch, cancelled } = leased;
    const { length } = decisions;
    const leases = leasesAtEnd(decisions, isLease);
    return { answer: "unreadable", run, epoch, cancelled, length, leases, why: whyUnreadable(error) };
  }
}

function shortReply([, budget, tokens, nano, met]: readonly unknown[]): CommitReply {
  return {
    answer: "short",
    budget: String(budget),
    ...(tokens !== "" && { tokens: Number(tokens) }),
    ...(nano !== "" && { nano: Number(nano) }),
    ...(met !== undefined && { met: met as DayCount }),
  };
}

function closedReply([, key, until]: readonly unknown[]): CommitReply {
  return { answer: "closed", key: String(key), until: Number(until) };
}

function commitReply([answer, at, cancelled, park]: readonly unknown[], kept: boolean): CommitReply {
  switch (answer) {
    case "parked":
      return { answer, at: Number(at), park: JSON.parse(String(park)) as Parked };
    case "ok":
      return { answer: kept ? "ok" : "unkept", at: Number(at), cancelled: cancelled === "1" };
    case "stopped":
      return { answer, by: String(at), version: Number(cancelled) };
    case "lapsed":
      return { answer, until: Number(at) };
    case "fenced":
    case "conflict":
    case "gate-moved":
      return { answer };
    default:
      throw new Error(`commit: unknown answer ${JSON.stringify(answer)}`);
  }
}

/** A move as the script reads it: where the run waits and why, what it needs from now on, and what nobody can know. */
function moveOf(move: Move, entries: readonly Entry[], uses: readonly string[] = []): object {
  const unknown = entries.flatMap((entry) => (entry.kind === "unknown" ? [entry.intent] : []));
  const told = {
    // All accounts were ACTIVE: it needs none.
    ...(entries.some((entry) => entry.kind === "prepared") && { needs: [] }),
    ...("until" in move && { reason: entries.find((entry) => entry.kind === "parked")?.reason ?? "" }),
    ...(unknown.length > 0 && { unknown }),
    ...approvalsIn(entries),
    ...intentsIn(entries, uses),
    ...(entries.some((entry) => entry.kind === "turn-committed") && { turned: true }),
  };
  switch (move.to) {
    case "accounts":
      return { ...told, ...move, to: "gate", gates: move.needs };
    case "gate":
      return { ...told, ...move, gates: [{ gate: move.gate, version: move.version }] };
    default:
      return { ...told, ...move };
  }
}

/** What an operator may have stopped. */
function intentsIn(entries: readonly Entry[], uses: readonly string[]): object {
  const begins = entries.some(isIntent);
  const tools = entries.flatMap((entry) => (entry.kind === "call-claimed" ? [`tool:${entry.tool}`] : []));
  return begins ? { intends: [...tools, ...uses.map((connection) => `connection:${connection}`)] } : {};
}

/** Who is asked what, and what is claimed: the script lets no intent pass that was asked about and is not approved as it is. */
function approvalsIn(entries: readonly Entry[]): object {
  const asks = entries.flatMap((entry) =>
    entry.kind === "approval-asked"
      ? [{ call: entry.call, id: entry.id, record: `${entry.id} ${entry.argsHash} ${entry.until}` }]
      : [],
  );
  const claims = entries.flatMap((entry) =>
    entry.kind === "call-claimed"
      ? [{ call: entry.call, argsHash: entry.argsHash, ...(entry.attempt > 1 && { again: true }) }]
      : [],
  );
  const asked = entries.flatMap((entry) =>
    entry.kind === "approval-asked"
      ? [{ id: entry.id, call: entry.call, tool: entry.tool, policy: entry.policy, expiresAt: entry.until }]
      : [],
  );
  return { ...(asks.length > 0 && { asks, asked: JSON.stringify(asked) }), ...(claims.length > 0 && { claims }) };
}

/** Waiters moved at once: less than a millisecond of Redis (bench:fairness). */
const SLICE = 20;
/** Accounts that are noted at once. */
const LOOKED_SLICE = 100;

/** An account's gate, and why it keeps whoever needs it waiting. */
export interface LookedAt {
  readonly gate: string;
  readonly reason: NeedReason;
}

export interface RedisGates extends Gates {
  /**
   * Lets the waiters go on that saw a lower version than the one this opening sets. Safe to call twice, or never to finish.
   * @param changedAt when the account last changed, ms: a waiter that an ACTIVE account refused after that stays. Without it all go.
   */
  open(gate: string, changedAt?: number): Promise<void>;
  /** These accounts were seen, and are not ACTIVE. */
  looked(seen: readonly LookedAt[]): Promise<void>;
}

/** @param pause between two slices of an opening; default: time */
export function redisGates(store: Store, tickets: Tickets, pause?: Pause): RedisGates {
  const key = (gate: string): string => `${store.prefix}gate:${gate}`;
  return {
    version: async (gate) => Number((await store.redis.hget(key(gate), "version")) ?? 0),
    open: async (gate, changedAt) => {
      let version = "";
      await inSlices(async () => {
        const reply = await store.run(OPEN, gate, version, SLICE, changedAt ?? "");
        await tickets.add(decodeTickets(reply.slice(2)));
        version = String(reply[0]);
        return Number(reply[1]) > 0;
      }, pause);
    },
    looked: async (seen) => {
      for (let i = 0; i < seen.length; i += LOOKED_SLICE)
        await store.run(LOOKED, ...seen.slice(i, i + LOOKED_SLICE).flatMap(({ gate, reason }) => [gate, reason]));
    },
  };
}
