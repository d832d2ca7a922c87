/** Calls that wait for a person's word, as the scripts commit, decide and evidence keep them. */
import { approvalGate } from "../../src/core/gate.ts";
import type { Entry } from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { isFinal } from "../../src/core/run.ts";
import type { CommitReply } from "../../src/ports/journal.ts";
import type { StoredRun } from "./memory-state.ts";
import type { StoreMutant } from "./store-mutants.ts";

interface Ask {
  readonly id: string;
  readonly argsHash: string;
  /** Store ms. */
  readonly until: number;
}

export interface MemoryApprovals {
  /** `<run> <approval>` of those that wait for a word. */
  readonly open: ReadonlySet<string>;
  /** If one of these intents was asked about and is not approved as it is, or no more. */
  refusal(run: StoredRun, entries: readonly Entry[]): Refused | undefined;
  committed(run: StoredRun, entries: readonly Entry[]): void;
  evidence(run: StoredRun, nonce: string): void;
  decide(run: StoredRun | undefined, id: string, asked: string, call: string, said: Omit<Evidence, "at">): Decided;
}

export type Refused = Extract<CommitReply, { readonly answer: "conflict" | "lapsed" }>;

export type Decided = "ok" | "was" | "gone" | "over";

export interface Ways {
  readonly now: () => number;
  readonly is: (mutant: StoreMutant) => boolean;
  readonly leaveGates: (run: StoredRun) => void;
  readonly toLine: (run: StoredRun) => void;
}

export function createMemoryApprovals({ now, is, leaveGates, toLine }: Ways): MemoryApprovals {
  const open = new Set<string>();
  /** By run and call: the last one that was asked for. */
  const asks = new Map<string, Ask>();
  const askOf = (run: string, call: string): Ask | undefined => asks.get(`${run} ${call}`);

  return {
    open,
    refusal(run, entries) {
      for (const it of entries) {
        const ask = it.kind === "call-claimed" ? askOf(run.id, it.call) : undefined;
        if (it.kind !== "call-claimed" || ask === undefined) continue;
        const said = run.evidence.get(`approval:${ask.id}`)?.outcome;
        if (said?.kind !== "approved" || said.argsHash !== it.argsHash) return { answer: "conflict" };
        if (it.attempt > 1 || now() < ask.until) continue;
        return is("lapse-unsaid") ? { answer: "conflict" } : { answer: "lapsed", until: ask.until };
      }
      return undefined;
    },
    committed(run, entries) {
      for (const it of entries) {
        if (it.kind === "ended") for (const member of open) if (member.startsWith(`${run.id} `)) open.delete(member);
        if (it.kind !== "approval-asked") continue;
        asks.set(`${run.id} ${it.call}`, { id: it.id, argsHash: it.argsHash, until: it.until });
        open.add(`${run.id} ${it.id}`);
      }
    },
    evidence: (run, nonce) => {
      if (nonce.startsWith("approval:")) open.delete(`${run.id} ${nonce.slice("approval:".length)}`);
    },
    decide(run, id, asked, call, said) {
      if (run === undefined) {
        open.delete(`${id} ${asked}`);
        return "gone";
      }
      if (run.evidence.has(said.nonce)) return "was";
      const ask = askOf(id, call);
      if (isFinal(run.status) || ask?.id !== asked || now() >= ask.until) return "over";
      run.evidence.set(said.nonce, { at: now(), ...said });
      open.delete(`${id} ${asked}`);
      if (run.place === "gate" && run.gates.includes(approvalGate(id))) {
        leaveGates(run);
        toLine(run);
      }
      return "ok";
    },
  };
}
