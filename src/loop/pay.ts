/** A turn is asked for, if what is left of all that limits it pays for it: as it is, as the last one, or not at all. */
import { afford, type Affordable, DEFAULT_OUTPUT, growthOf, type Needs } from "../core/afford.ts";
import { answersAtLimit, atLimit } from "../core/at-limit.ts";
import { RUN_LIMIT } from "../core/day-counts.ts";
import type { Amount, TurnRequested } from "../core/journal.ts";
import type { RunLimit } from "../core/limits.ts";
import type { ModelRequest } from "../core/messages.ts";
import { project } from "../core/project.ts";
import { countedTokens, mostTokens, requestTokens } from "../core/size.ts";
import { limitsOf } from "../core/own-limits.ts";
import { announce } from "./announce.ts";
import type { Fitting } from "./fitting.ts";
import { end } from "./leave.ts";
import type { Ending } from "./loop.ts";
import { over, usedUp } from "./over.ts";
import { amountAt, leftOfDay, type Limited, type Meters, metersOf, pursesOf, rateOf } from "./purse.ts";

/** `final`: the answer that comes is the last one. `reserve`: what was kept aside. */
export type Asking =
  | { readonly is: "go"; readonly request: ModelRequest; readonly asked: TurnRequested }
  | { readonly is: "left"; readonly ending: Ending };

/** @param made the request, if it was made and nothing has changed since */
export async function askModel(fitting: Fitting, made?: ModelRequest): Promise<Asking> {
  const { step, asked, context, held } = fitting;
  const meters = metersOf(fitting);
  let { final, because }: { final: boolean; because?: RunLimit | undefined } = step;
  let days: readonly Limited[] = [];
  for (;;) {
    const known = final === step.final ? made : undefined;
    const request = known ?? project(held.state, context, step.shown, final, asked);
    const plan = meters.isMetered ? await planned(fitting, request, final, days, meters) : undefined;
    if (plan?.is === "over") return { is: "left", ending: await over(fitting, plan.purse) };
    if (plan?.is === "last" && !final) {
      // Asked for once more, as the last one: the prompt says so.
      [final, because] = [true, plan.purse?.limit];
      const bound = because === undefined ? undefined : atLimit(held.state, because, held.now());
      if (bound?.is === "end") return { is: "left", ending: await end(held, bound.end) };
      continue;
    }
    const entry: TurnRequested = {
      kind: "turn-requested",
      turn: step.turn,
      attempt: step.attempt,
      final,
      shown: step.shown,
      asked,
      ...(because !== undefined && { because }),
      ...(plan !== undefined && { reserve: plan.reserve }),
      ...(step.lost !== undefined && { lost: step.lost }),
    };
    const reply = await announce(fitting, entry, meters, final ? "last turn" : "turn");
    if (reply.is === "parked") return { is: "left", ending: "parked" };
    if (reply.is === "ok") {
      const bounded = plan === undefined ? request : { maxOutputTokens: plan.output, ...request };
      return { is: "go", request: bounded, asked: entry };
    }
    const { budget, met } = reply;
    // A last answer makes no calls, and a turn is kept for it.
    if (met !== undefined && !final && answersAtLimit(held.state)) [final, because] = [true, RUN_LIMIT[met]];
    else if (met !== undefined) return { is: "left", ending: await usedUp(fitting, meters, { budget, met }) };
    else days = await leftOfDay(fitting, meters, reply);
  }
}

type Plan =
  | { readonly is: "turn" | "last"; readonly output: number; readonly reserve: Amount; readonly purse?: Limited }
  | { readonly is: "over"; readonly purse: Limited };

/** What this request may use, and whether that is there. @param days what is left of a day's budgets that it did not fit into */
async function planned(
  fitting: Fitting,
  request: ModelRequest,
  final: boolean,
  days: readonly Limited[],
  meters: Meters,
): Promise<Plan> {
  const { asked, context, held, ports } = fitting;
  const limits = limitsOf(held.state) ?? context.limits;
  const count = (await ports.rooms?.counter()) ?? mostTokens;
  const input = countedTokens(held.state, context, request, asked, count) ?? requestTokens(request, count);
  const most = meters.bounds.maxOutputTokens ?? DEFAULT_OUTPUT;
  const rate = await rateOf(fitting, input, most);
  const needs: Needs = { input, output: most, growth: growthOf(limits) };
  const purses = pursesOf(fitting, rate, days, meters);
  // A turn that is kept for an answer is kept only where the agent wants one. A day ends: what it has left is for an answer at best.
  const answers = answersAtLimit(held.state);
  const made = afford(purses, needs, final || !answers || days.length > 0);
  const tight = (than: Affordable["is"], last: boolean): Limited | undefined =>
    purses.find((purse) => afford([purse], needs, last).is === than);
  if (made.is === "nothing") {
    const purse = tight("nothing", true) ?? purses[0];
    if (purse === undefined) throw new Error(`run ${held.id}: nothing limits it, and still it cannot pay`);
    return { is: "over", purse };
  }
  const reserve = amountAt(rate, input, made.output);
  const purse = days[0] ?? tight("last", false);
  const last = made.is === "last" && answers && (days.length > 0 || !final);
  return { is: last ? "last" : "turn", output: made.output, reserve, ...(purse !== undefined && { purse }) };
}
