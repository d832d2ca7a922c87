/**
 * A model call is asked for and settled: what it may use at most is kept aside in the same commit that announces it (DESIGN §4), for the
 * run's own limits by the journal, for budgets of the day by the store. What the provider then says it has used is spent.
 */
import {
  afford,
  affordSummary,
  type Affordable,
  DEFAULT_OUTPUT,
  growthOf,
  LEAST_OUTPUT,
  type Needs,
} from "../core/afford.ts";
import { atLimit, failedAt } from "../core/at-limit.ts";
import { type DayCount, RUN_LIMIT } from "../core/day-counts.ts";
import type { Amount, SummaryRequested, TurnRequested } from "../core/journal.ts";
import type { RunLimit } from "../core/limits.ts";
import type { ModelAnswer, ModelFailure, ModelName, ModelRequest } from "../core/messages.ts";
import { project } from "../core/project.ts";
import { countedTokens, mostTokens, requestTokens } from "../core/size.ts";
import { amountOf } from "../core/spending.ts";
import { limitsOf } from "../core/state.ts";
import { SUMMARY_TOKENS } from "../core/summary.ts";
import type { DayBudget } from "../ports/asking.ts";
import type { Fitting } from "./fitting.ts";
import { coolKey } from "./cool.ts";
import type { Asked } from "./held.ts";
import { end } from "./leave.ts";
import {
  amountAt,
  leftOfDay,
  type Limited,
  type Meters,
  metersOf,
  nanoOf,
  type Payer,
  pursesOf,
  rateOf,
} from "./purse.ts";
import type { Ending } from "./loop.ts";

/** `final`: the answer that comes is the last one. `reserve`: what was kept aside. */
export type Asking =
  | { readonly is: "go"; readonly request: ModelRequest; readonly asked: TurnRequested }
  | { readonly is: "left"; readonly ending: Ending };

type Announced = Exclude<Asked, { is: "closed" }>;

/** One step: the call is announced, and what it may use at most is kept aside, if all that limits it allows it. */
async function announce(
  { held, ports, asked }: Payer,
  entry: TurnRequested | SummaryRequested,
  { bounds, budgets }: Meters,
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
    ...(reserve !== undefined && { reserve: { tokens: reserve.tokens, nano: nanoOf(reserve), budgets } }),
  });
  if (reply.is === "closed") throw new Error(`run ${held.id}: a model call that parks was told to stay`);
  return reply;
}

export async function askModel(fitting: Fitting): Promise<Asking> {
  const { step, asked, context, held } = fitting;
  const meters = metersOf(fitting);
  let { final, because }: { final: boolean; because?: RunLimit | undefined } = step;
  let days: readonly Limited[] = [];
  for (;;) {
    const request = project(held.state, context, step.shown, final, asked);
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
    const reply = await announce(fitting, entry, meters);
    if (reply.is === "parked") return { is: "left", ending: "parked" };
    if (reply.is === "ok") {
      const most = plan === undefined ? {} : { maxOutputTokens: plan.output };
      return { is: "go", request: { ...request, ...most }, asked: entry };
    }
    if (reply.met !== undefined) return { is: "left", ending: await usedUp(fitting, meters, reply.budget, reply.met) };
    days = await leftOfDay(fitting, meters, reply);
  }
}

/** `short`: what is left of it does not pay for the summary and for an answer behind it. */
export type AskingSummary =
  | { readonly is: "go"; readonly request: ModelRequest }
  | { readonly is: "left"; readonly ending: Ending }
  | { readonly is: "short"; readonly purse: Limited };

export async function askSummary(
  fitting: Fitting & { readonly by: ModelName },
  request: ModelRequest,
  { before, entry }: { readonly before: number; readonly entry: { readonly to: number } },
): Promise<AskingSummary> {
  const { step, held, ports, by } = fitting;
  const payer: Payer = { held, ports, asked: by };
  const meters = metersOf(payer);
  let days: readonly Limited[] = [];
  for (;;) {
    const plan = meters.isMetered ? await plannedSummary(fitting, request, entry.to, days, meters) : undefined;
    if (plan?.is === "over") return { is: "short", purse: plan.purse };
    const summary: SummaryRequested = {
      kind: "summary-requested",
      turn: step.turn,
      before,
      asked: by,
      ...(plan !== undefined && { reserve: plan.reserve }),
    };
    const reply = await announce(payer, summary, meters);
    if (reply.is === "parked") return { is: "left", ending: "parked" };
    if (reply.is === "ok")
      return { is: "go", request: { ...request, maxOutputTokens: plan?.output ?? SUMMARY_TOKENS } };
    if (reply.met !== undefined) return { is: "left", ending: await usedUp(fitting, meters, reply.budget, reply.met) };
    days = await leftOfDay(payer, meters, reply);
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
  const answers = context.atLimit === undefined || context.atLimit === "answer";
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

/** A summary, and the least answer to the request of `after` tokens that follows it. */
async function plannedSummary(
  { held, ports, asked, by }: Fitting & { readonly by: ModelName },
  request: ModelRequest,
  after: number,
  days: readonly Limited[],
  meters: Meters,
): Promise<
  Extract<Plan, { is: "over" }> | { readonly is: "summary"; readonly output: number; readonly reserve: Amount }
> {
  const payer: Payer = { held, ports, asked: by };
  const input = requestTokens(request, (await ports.rooms?.counter()) ?? mostTokens);
  const output = Math.min(SUMMARY_TOKENS, meters.bounds.maxOutputTokens ?? SUMMARY_TOKENS);
  const rate = await rateOf(payer, input, output);
  const answer = amountAt(await rateOf({ held, ports, asked }, after, LEAST_OUTPUT), after, LEAST_OUTPUT);
  const purses = pursesOf(payer, rate, days, meters).map((purse) => ({ ...purse, behind: answer[purse.limit] ?? 0 }));
  const most = affordSummary(purses, { input, output });
  const tight = purses.find((purse) => affordSummary([purse], { input, output }) === undefined);
  if (most === undefined && tight !== undefined) return { is: "over", purse: tight };
  return { is: "summary", output: most ?? output, reserve: amountAt(rate, input, most ?? output) };
}

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

/** Of what is counted nothing is kept for an answer: the run goes on where it is when the day has ended, or somebody gives more. */
function usedUp(
  { step, context, held, ports }: Fitting,
  { budgets }: Meters,
  name: string,
  met: DayCount,
): Promise<Ending> {
  const day = budgets.find((budget) => budget.name === name) ?? { name, endsAt: held.now() };
  if (context.atLimit !== "fail") return untilTomorrow({ held, ports, context }, `t${step.turn}`, day, ` (${met})`);
  return end(held, failedAt(held.state, RUN_LIMIT[met], `The day's budget is used up: ${name} (${met}).`));
}

async function untilTomorrow(
  { held, ports, context }: Pick<Fitting, "held" | "ports" | "context">,
  about: string,
  { name, endsAt }: Pick<DayBudget, "name" | "endsAt">,
  what = "",
): Promise<Ending> {
  const message = `The day's budget is used up: ${name}${what}`;
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

/** @returns what it cost: as the gateway says, else by price */
export async function settleAnswer({ asked, held, ports }: Payer, answer: ModelAnswer): Promise<Amount> {
  const { usage } = answer;
  const costUsd =
    answer.costUsd ?? (usage.input + usage.output > 0 ? await ports.allowance?.price(asked, usage) : undefined);
  const amount = amountOf(usage, costUsd, held.state.spending.reserved);
  held.settle({ tokens: amount.tokens, nano: nanoOf(amount), ok: true });
  return amount;
}

/** A provider that answers with an error has done nothing for it; without any answer it may have, and may bill it. */
export function settleFailure({ held }: Pick<Payer, "held">, { status, class: why }: ModelFailure): Amount {
  const { reserved = { tokens: 0 } } = held.state.spending;
  const amount = status === undefined ? reserved : { tokens: 0 };
  held.settle({ tokens: amount.tokens, nano: nanoOf(amount), ok: why === "context" || why === "invalid" });
  return amount;
}
