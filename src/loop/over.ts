/** Nothing is left that pays for the next step: what follows from it, for the run's own limits and for the day's. */
import { atLimit, failedAt } from "../core/at-limit.ts";
import { type DayCount, RUN_LIMIT } from "../core/day-counts.ts";
import type { DayBudget } from "../ports/asking.ts";
import type { Fitting } from "./fitting.ts";
import { end } from "./leave.ts";
import type { HeldRun } from "./held.ts";
import type { Ending, Left } from "./loop.ts";
import type { Limited, Meters } from "./purse.ts";

/** Not even a short answer fits. A day's budget is there again on the next day; the run's own is not, unless somebody raises it. */
export async function over(
  { step, context, held, ports }: Fitting,
  { limit, day }: Limited,
  what: "turn" | "summary" = "turn",
): Promise<Ending> {
  const about = `t${step.turn}`;
  if (day !== undefined && context.atLimit !== "fail") return untilTomorrow({ held, ports, context }, about, day);
  const why =
    what === "turn"
      ? "Not even a short last answer fits into what is left."
      : "The transcript is too long for the model, and what is left does not pay for a summary of it.";
  const bound = atLimit(held.state, limit, held.now());
  if (bound.is === "end") return end(held, bound.end);
  if (bound.is === "wait") {
    const { until } = bound;
    const message = `${bound.message} ${why}`;
    held.note({ kind: "parked", reason: "budget", about, limit, until, message });
    return (await held.flush({ to: "moment", until })) ? "parked" : "lost";
  }
  return end(held, failedAt(held.state, limit, `The run's limit is met: ${limit}. ${why}`));
}

/** Not even for a last answer: the run goes on where it is when the day has ended, or somebody gives more. */
export function usedUp(
  { step, context, held, ports }: Fitting,
  { budgets }: Meters,
  { budget, met }: MetBudget,
): Promise<Ending> {
  const day = dayOf(budgets, budget, held);
  if (context.atLimit !== "fail") return untilTomorrow({ held, ports, context }, `t${step.turn}`, day, met);
  return end(held, failedAt(held.state, RUN_LIMIT[met], `${messageOf(budget, met)}.`));
}

/** Calls stand in the middle of a turn: they wait there, or are kept back as at a limit of the run's own. */
export async function usedUpForCalls(
  waiting: Waiting,
  about: string,
  budgets: readonly DayBudget[],
  { budget, met }: MetBudget,
): Promise<Left> {
  const { held, context } = waiting;
  const day = dayOf(budgets, budget, held);
  // Said already, and asked for all the same: a look at a call in doubt has no other way (simulation, seed 22020: without end).
  const isSaid = held.now() < (held.state.budgetMet?.until ?? 0);
  if (context.atLimit === "park" || isSaid) return untilTomorrow(waiting, about, day, met);
  held.note({ kind: "budget-met", limit: RUN_LIMIT[met], until: day.endsAt, message: messageOf(budget, met) });
  return undefined;
}

interface MetBudget {
  readonly budget: string;
  readonly met: DayCount;
}

type Waiting = Pick<Fitting, "held" | "ports" | "context">;

function dayOf(budgets: readonly DayBudget[], name: string, held: HeldRun): Pick<DayBudget, "name" | "endsAt"> {
  return budgets.find((budget) => budget.name === name) ?? { name, endsAt: held.now() };
}

function messageOf(budget: string, met?: DayCount): string {
  return `The day's budget is used up: ${budget}${met === undefined ? "" : ` (${met})`}`;
}

async function untilTomorrow(
  { held, ports, context }: Waiting,
  about: string,
  { name, endsAt }: Pick<DayBudget, "name" | "endsAt">,
  met?: DayCount,
): Promise<Ending> {
  const message = messageOf(name, met);
  // What a whole day does not pay for would wait for ever.
  const since = held.state.parks.find((park) => park.reason === "budget" && park.about === about)?.at ?? held.now();
  if (held.now() >= since + context.expiresAfterMs)
    return end(held, { kind: "ended", status: "expired", message: `${message}. No day had enough of it.` });
  const until = Math.round(Math.max(held.now(), endsAt) + ports.chance.random() * SPREAD_MS);
  held.note({ kind: "parked", reason: "budget", about, until, message });
  return (await held.flush({ to: "moment", until, waits: `spend:${name}` })) ? "parked" : "lost";
}

/** A day's end wakes many: one after the other. */
const SPREAD_MS = 60_000;
