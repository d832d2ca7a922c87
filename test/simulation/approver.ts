/** Somebody who decides now and then on the calls that wait for a person's word, and sometimes does not, or says two things. */
import { approvalNonce } from "../../src/core/approval.ts";
import type { ApprovalAsked } from "../../src/core/journal.ts";
import type { Approval } from "../../src/core/outcome.ts";
import type { Crew } from "./crew.ts";
import { StoreGone } from "./network.ts";
import type { World } from "./world.ts";

export interface Approver {
  /** Something is new on the list. He looks later. */
  told(): void;
  look(): void;
}

export function createApprover(world: World, crew: Crew): Approver {
  const { dice, time } = world;

  const look = (): void => {
    if (world.faults.silent) return;
    for (const member of world.store.approvals) {
      const [id = "", asked = ""] = member.split(" ");
      const entry = world.store.runs.get(id)?.journal.find((it) => it.kind === "approval-asked" && it.id === asked);
      if (entry?.kind !== "approval-asked" || dice.chance(0.2)) continue;
      const kind = dice.chance(0.7) ? "approved" : "denied";
      // In the last moment: by the time that the intent is written, it may be over.
      const left = entry.until - world.redisNow() - dice.between(1, 30);
      if (left > 0 && dice.chance(0.4)) time.after(left, () => say(id, entry, kind));
      else say(id, entry, kind);
      if (dice.chance(world.faults.saidTwice))
        time.after(dice.between(0, 2_000), () => say(id, entry, dice.pick(["approved", "denied"])));
    }
  };

  const say = (run: string, { id, call, tool, argsHash }: ApprovalAsked, kind: Approval["kind"]): void => {
    const process = world.spawn("approver");
    const outcome: Approval = { kind, argsHash };
    const said = { nonce: approvalNonce(id), call, tool, argsHash, outcome, tookMs: 0 };
    world.count(kind);
    crew
      .ports(process)
      .script("decide", run, (store) => store.decide(run, id, call, said))
      .catch((error: unknown) => {
        if (!(error instanceof StoreGone)) world.caught(error);
      });
  };

  return {
    look,
    told: () => time.after(dice.between(0.1, 2) * world.faults.answerMs, look),
  };
}
