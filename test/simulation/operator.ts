/**
 * Somebody who reads the list of unknown outcomes now and then, looks at the provider, and says what he found: what `errand unknowns`
 * and src/queue/unknowns.ts are for. He says the truth, but when and how often is his affair.
 */
import type { CallClaimed, Decision, Unknown } from "../../src/core/journal.ts";
import { type Answer, answerNonce } from "../../src/core/outcome.ts";
import { LATEST_ARRIVAL_MS } from "./agents.ts";
import type { Crew } from "./crew.ts";
import { isSettledBy } from "./doubt-rules.ts";
import type { StoredRun } from "./memory-state.ts";
import { StoreGone } from "./network.ts";
import type { Provider } from "./provider.ts";
import type { World } from "./world.ts";

export interface Operator {
  /** Something is new on the list. He looks later. */
  told(): void;
  look(): void;
}

export function createOperator(world: World, crew: Crew, provider: Provider): Operator {
  const { dice, time } = world;

  const look = (): void => {
    if (world.faults.silent) return;
    for (const member of world.store.unknowns) {
      const [id = "", intent = ""] = member.split(" ");
      const run = world.store.runs.get(id);
      const unknown = run?.journal.find((it) => it.kind === "unknown" && it.intent === intent);
      if (run !== undefined && unknown?.kind === "unknown") consider(run, unknown);
    }
  };

  const consider = (run: StoredRun, unknown: Decision<Unknown>): void => {
    const claims = run.journal.filter((it) => it.kind === "call-claimed" && it.call === unknown.call);
    // Who reads the list is not shown what a late result has settled.
    if (claims.some((it) => isSettledBy(run, it as CallClaimed, unknown.intent))) return;
    const claim = claims.find((it) => it.kind === "call-claimed" && it.intent === unknown.intent);
    if (dice.chance(world.faults.stop)) {
      answer(run.id, unknown, "stop");
      return;
    }
    // What is there is there.
    if (provider.effectsOf(run.id, unknown.call, unknown.tool) > 0) {
      say(run.id, unknown, "happened");
      return;
    }
    const until = claim?.kind === "call-claimed" ? claim.at + claim.windowMs : unknown.at + 20_000;
    // The list says between which moments the call may have been sent: before the second one he would only guess.
    const early = until + LATEST_ARRIVAL_MS - world.redisNow();
    if (early > 0) {
      time.after(early + dice.between(1, 1_000), look);
      return;
    }
    say(run.id, unknown, "not-executed");
  };

  const say = (run: string, unknown: Unknown, truth: Answer["says"]): void => {
    answer(run, unknown, truth);
    if (dice.chance(world.faults.saidTwice))
      time.after(dice.between(0, 2_000), () => answer(run, unknown, dice.chance(0.2) ? "stop" : truth));
  };

  const answer = (run: string, { intent, call, tool, argsHash }: Unknown, says: Answer["says"]): void => {
    const process = world.spawn("operator");
    const nonce = answerNonce(intent);
    const evidence = { nonce, call, tool, argsHash, outcome: { kind: "answered", says }, tookMs: 0 } as const;
    world.count(`said ${says}`);
    crew
      .ports(process)
      .script("answer", run, (store) => store.answer(run, intent, evidence))
      .catch((error: unknown) => {
        if (!(error instanceof StoreGone)) world.caught(error);
      });
  };

  return {
    look,
    told: () => time.after(dice.between(0.1, 2) * world.faults.answerMs, look),
  };
}
