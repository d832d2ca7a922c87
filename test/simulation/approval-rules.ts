/** What must hold of calls that need a person's word. Written from docs/tools.md, not from core/approval.ts. */
import type { ApprovalAsked, CallClaimed, Decision, PlannedCall } from "../../src/core/journal.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import type { StoredRun } from "./memory-state.ts";
import type { Truth } from "./reading.ts";
import type { World } from "./world.ts";

export interface ApprovalRules {
  asked(run: StoredRun, asked: Decision<ApprovalAsked>, call: PlannedCall | undefined): void;
  claimed(run: StoredRun, claim: Decision<CallClaimed>, call: PlannedCall): void;
  /** The model is told that it was refused. */
  refused(run: StoredRun, call: PlannedCall, evidence: Evidence, claims: number): void;
  /** A run is taken that had parked for a word. */
  taken(run: StoredRun, at: number, parkedAt: number): void;
}

export interface ApprovalParts {
  readonly unlessLost: (run: StoredRun, invariant: string, detail: string) => void;
  readonly truth: Truth;
  readonly withinMs: number;
}

export function createApprovalRules(
  world: Pick<World, "count">,
  { unlessLost, truth, withinMs }: ApprovalParts,
): ApprovalRules {
  /** By call, the last one. */
  const asks = new Map<string, Decision<ApprovalAsked>>();
  const wordOn = (run: StoredRun, { id }: ApprovalAsked): Evidence | undefined => run.evidence.get(`approval:${id}`);

  return {
    asked(run, asked, call) {
      world.count("approval asked");
      if (call?.verdict !== "run" || call.approval === undefined || call.argsHash !== asked.argsHash)
        unlessLost(run, "people are asked about what is planned", asked.call);
      asks.set(asked.call, asked);
    },
    claimed(run, claim, call) {
      if (call.verdict !== "run" || call.approval === undefined) return;
      const asked = asks.get(claim.call);
      const word = asked && wordOn(run, asked)?.outcome;
      if (word?.kind !== "approved" || word.argsHash !== claim.argsHash)
        unlessLost(run, "nothing is done without its approval", `${claim.call}: ${word?.kind ?? "nobody was asked"}`);
      if (claim.attempt === 1 && asked !== undefined && claim.at >= asked.until)
        unlessLost(run, "an approval is used in time", `${claim.call} at ${claim.at}, until ${asked.until}`);
    },
    refused(run, call, evidence, claims) {
      world.count("shown denied");
      if (claims > 0) unlessLost(run, "what was refused is not done", `${call.id} was claimed`);
      const asked = asks.get(call.id);
      if (evidence.nonce !== `approval:${asked?.id}`)
        unlessLost(run, "only the last word counts", `${call.id}: ${evidence.nonce}`);
      if ((truth.effectsOf(run.id, call.id, call.name) ?? 0) > 0)
        unlessLost(run, "what was refused is not done", call.id);
    },
    taken(run, at, parkedAt) {
      for (const asked of asks.values()) {
        const word = wordOn(run, asked);
        if (word !== undefined && word.at > parkedAt && at - word.at > withinMs)
          unlessLost(run, "no word is lost", `it waited ${at - word.at} ms after ${word.nonce}`);
      }
    },
  };
}
