/** A store under test: the ports, the scripts that are no port, and a look at what it holds. The one in memory; redis-subject.ts has the one on Redis. */
import type { TestContext } from "node:test";
import { DEFAULT_STORE, type StoreOptions } from "../../src/queue/store.ts";
import { approvalNonce } from "../../src/core/approval.ts";
import type { Answer, Approval, Evidence } from "../../src/core/outcome.ts";
import type { Journal } from "../../src/ports/journal.ts";
import type { Ticket } from "../../src/queue/codec.ts";
import type { RedisGates } from "../../src/queue/journal.ts";
import { answerOf } from "./request.ts";
import { type AskingSubject, memoryAsking } from "./asking-subject.ts";
import type { CreateReply, CreateRequest } from "../simulation/memory-api.ts";
import { createMemoryStore } from "../simulation/memory-store.ts";
import { authorizations, type StoredEvent } from "../simulation/memory-needs.ts";
import type { StoredRun } from "../simulation/memory-state.ts";

/** What a run's header says; numbers that differ from store to store are left to the tests that compare them. */
export interface Header {
  readonly status: string;
  readonly place: string;
  readonly reason: string;
  readonly ticket: string;
  readonly epoch: number;
  readonly lease: number;
  readonly length: number;
  readonly cancel: boolean;
  readonly supersededBy: string;
  /** It is kept only for a while. */
  readonly expires: boolean;
  /** Somebody will look at it. */
  readonly looked: boolean;
  /** Gates of the accounts that it names. */
  readonly needs: readonly string[];
}

export interface Authorization {
  readonly gate: string;
  readonly reason: string;
  /** By their ids. */
  readonly runs: readonly string[];
  readonly reminded: number;
  /** Another reminder is due by itself. */
  readonly reminds: boolean;
}

export interface Subject extends AskingSubject {
  readonly journal: Journal;
  readonly gates: RedisGates;
  create(request: CreateRequest): Promise<CreateReply>;
  cancel(run: string): Promise<string>;
  /** A person's word on an attempt whose outcome nobody knows. */
  answer(run: string, intent: string, says: Answer["says"]): Promise<string>;
  /** A person's word on a call that was asked about; `args`: the hash of other arguments than those. */
  decide(run: string, asked: string, kind: Approval["kind"], argsHash?: string, call?: string): Promise<string>;
  /** `<run> <approval>` of the calls that wait for it. */
  approvals(): Promise<readonly string[]>;
  /** `<run> <intent>` of the attempts that stand on the list of unknown outcomes. */
  unknowns(): Promise<readonly string[]>;
  /** A run's evidence is kept only for a while. */
  evidenceExpires(run: string): Promise<boolean>;
  due(): Promise<{ readonly gates: readonly string[]; readonly tickets: readonly Ticket[] }>;
  header(run: string): Promise<Header | undefined>;
  live(line: string): Promise<readonly string[]>;
  /** First to go first. */
  waiting(line: string): Promise<readonly string[]>;
  waiters(gate: string): Promise<readonly string[]>;
  /** Accounts that runs need, oldest first. */
  authorizations(): Promise<readonly Authorization[]>;
  /** Whatever the store holds of accounts that runs need: nothing, when none is needed. */
  ofAuthorizations(): Promise<readonly string[]>;
  /** What was told of them, in order. */
  events(): Promise<readonly string[]>;
  remind(nonce: string, gates: readonly string[]): Promise<number>;
  pause(name: string): Promise<boolean>;
  resume(name: string): Promise<boolean>;
  weigh(name: string, weight: number): Promise<number>;
  /** The store's ms. */
  now(): number;
  /** As if so many ms had passed for leases and looks. */
  age(ms: number): Promise<void>;
  /** As if an Errand of this version had written the run's journal. */
  setVersion(run: string, version: number): Promise<void>;
}

export type OpenSubject = (t: TestContext, options?: Partial<StoreOptions>) => Subject;

export const memorySubject: OpenSubject = (_t, options = {}) => {
  let aged = 0;
  let moment = 0;
  const store = createMemoryStore({ ...DEFAULT_STORE, ...options, now: () => moment });
  /** A script happens at one moment. */
  const at = async <T>(op: () => T): Promise<T> => {
    moment = Date.now() + aged;
    return op();
  };
  return {
    journal: {
      leaseMs: options.leaseMs ?? DEFAULT_STORE.leaseMs,
      claim: (run, asked) => at(() => store.claim(run, asked)),
      renew: (run, epoch) => at(() => store.renew(run, epoch)),
      commit: (commit) => at(() => store.commit(commit)),
      evidence: (run, evidence) => at(() => store.evidence(run, evidence)),
      keep: (run, nonce, text) => at(() => store.keep(run, nonce, text)),
      kept: async (run, nonce) => store.kept(run, nonce),
    },
    gates: {
      version: async (gate) => store.version(gate),
      open: (gate, changedAt) =>
        at(() => {
          const { version, left } = store.open(gate, undefined, 100, changedAt);
          for (let more = left; more > 0;) more = store.open(gate, version, 100, changedAt).left;
        }),
      looked: (seen) => at(() => void store.looked(seen)),
    },
    ...memoryAsking(store, at),
    create: (request) => at(() => store.create(request)),
    cancel: (run) => at(() => store.cancel(run)),
    answer: (run, intent, says) => at(() => store.answer(run, intent, answerOf(intent, says))),
    decide: (run, asked, kind, argsHash = "h", call = "t0c0") =>
      at(() => store.decide(run, asked, call, decisionOf(asked, kind, argsHash, call))),
    approvals: async () => Array.from(store.approvals).toSorted(),
    unknowns: async () => Array.from(store.unknowns).toSorted(),
    evidenceExpires: async (run) => (store.runs.get(run)?.expires ?? 0) > 0,
    due: () =>
      at(() => {
        store.takeTickets();
        const { gates } = store.due(100);
        return { gates, tickets: store.takeTickets() };
      }),
    header: async (id) => {
      const run = store.runs.get(id);
      return run === undefined ? undefined : seen(run, store.looks.has(`run:${id}`));
    },
    live: async (line) => Array.from(store.turns.busy.get(line) ?? []).toSorted(),
    waiting: async (line) => {
      const ranks = Array.from(store.turns.lines.get(line) ?? []);
      return ranks.toSorted((a, b) => a[1] - b[1]).map(([id]) => id);
    },
    authorizations: async () =>
      authorizations(store.auths).map((gate) => {
        const { reason = "", reminded = 0, names = new Map<string, number>() } = store.auths.get(gate) ?? {};
        const runs = Array.from(names.keys()).toSorted();
        return { gate, reason, runs, reminded, reminds: store.looks.has(`remind:${gate}`) };
      }),
    ofAuthorizations: async () => [
      ...store.auths.keys(),
      ...Array.from(store.looks.keys()).filter((member) => member.startsWith("remind:")),
    ],
    events: async () => store.events.map(eventText),
    remind: (nonce, gates) => at(() => store.remind(nonce, gates)),
    pause: (name) => at(() => store.pause(name)),
    resume: (name) => at(() => store.resume(name)),
    weigh: (name, weight) => at(() => store.weigh(name, weight)),
    waiters: async (gate) => Array.from(store.gates.get(gate)?.waiters.keys() ?? []).toSorted(),
    now: () => Date.now() + aged,
    age: async (ms) => void (aged += ms),
    setVersion: async (id, version) => {
      const run = store.runs.get(id);
      if (run !== undefined) run.version = version;
    },
  };
};

function seen(run: StoredRun, looked: boolean): Header {
  const { status, place, reason, epoch, lease, journal, cancel, supersededBy, needs } = run;
  const told = { ticket: String(run.ticket), length: journal.length, expires: run.expires > 0 };
  const named = needs.map(({ gate }) => gate);
  return { status, place, reason, epoch, lease, cancel, supersededBy, looked, needs: named, ...told };
}

function eventText({ type, run = "", needs, number, manual = false }: StoredEvent): string {
  const named = needs.map(({ gate, reason }) => `${gate}=${reason}`).join(" ");
  return [`authorization.${type}`, run, named, number ?? "", manual ? "1" : ""].join(" | ");
}

export function decisionOf(
  asked: string,
  kind: Approval["kind"],
  argsHash: string,
  call: string,
): Omit<Evidence, "at"> {
  return { nonce: approvalNonce(asked), call, tool: "x", argsHash: "h", tookMs: 0, outcome: { kind, argsHash } };
}
