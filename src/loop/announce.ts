/**
 * A model call is announced, and what it may use at most is kept aside in the same commit (DESIGN §4): for the run's own limits by the
 * journal, for budgets of the day by the store.
 */
import type { DayStep } from "../core/day-counts.ts";
import type { SummaryRequested, TurnRequested } from "../core/journal.ts";
import { coolKey } from "./cool.ts";
import { budgetsFor } from "./days.ts";
import type { Asked } from "./held.ts";
import { type Meters, nanoOf, type Payer } from "./purse.ts";

type Announced = Exclude<Asked, { is: "closed" }>;

/** One step: the call is announced, and what it may use at most is kept aside, if all that limits it allows it. */
export async function announce(
  { held, ports, asked }: Payer,
  entry: TurnRequested | SummaryRequested,
  { bounds, budgets }: Meters,
  step: DayStep,
): Promise<Announced> {
  const { concurrency, requestsPerMinute, tokensPerMinute } = bounds;
  const { reserve } = entry;
  const reply = await held.ask([entry], {
    about: `t${entry.turn}`,
    cool: [coolKey.model(asked.profile)],
    random: ports.chance.random(),
    waited: held.state.parks.at(-1)?.reason === "rate-limit",
    model: {
      profile: asked.profile,
      ...(concurrency !== undefined && { concurrency }),
      ...(requestsPerMinute !== undefined && { requestsPerMinute }),
      ...(tokensPerMinute !== undefined && { tokensPerMinute }),
    },
    ...(reserve !== undefined && {
      reserve: { tokens: reserve.tokens, nano: nanoOf(reserve), budgets: budgetsFor(step, budgets, held.state) },
    }),
  });
  if (reply.is === "closed") throw new Error(`run ${held.id}: a model call that parks was told to stay`);
  return reply;
}
