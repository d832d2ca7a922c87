/**
 * A model call is asked for and settled: what it may use at most is kept aside in the same commit that announces it (DESIGN §4), for the
 * run's own limits by the journal, for budgets of the day by the store. What the provider then says it has used is spent.
 */
import { afford, type Affordable, DEFAULT_OUTPUT, growthOf, type Needs, type Purse } from "../core/afford.ts";
import { atLimit, failedAt } from "../core/at-limit.ts";
import type { Amount, TurnRequested } from "../core/journal.ts";
import type { RunLimit } from "../core/limits.ts";
import { type ModelAnswer, type ModelFailure, type ModelRequest, NO_USAGE } from "../core/messages.ts";
import { project } from "../core/project.ts";
import { countedTokens, mostTokens, requestTokens } from "../core/size.ts";
import { amountOf, usedBy } from "../core/spending.ts";
import { limitsOf } from "../core/state.ts";
import type { DayBudget } from "../ports/asking.ts";
import type { Fitting } from "./fit.ts";
import { coolKey } from "./cool.ts";
import { end } from "./leave.ts";
import type { Ending } from "./loop.ts";

const NANO = 1e9;

type Money = "tokens" | "costUsd";
type Limited = Purse & { readonly limit: Money; readonly day?: DayBudget };

/** `final`: the answer that comes is the last one. `reserve`: what was kept aside. */
export type Asking =
  | { readonly is: "go"; readonly request: ModelRequest; readonly asked: TurnRequested }
  | { readonly is: "left"; readonly ending: Ending };

/** What a token of this model costs; nothing where nobody knows. */
interface Rate {
  readonly input?: number;
  readonly output?: number;
}

export async function askModel(fitting: Fitting): Promise<Asking> {
  const { step, asked, context, held, ports } = fitting;
  const { identifier, tenant } = held.state.created;
  const bounds = ports.allowance?.profile(asked.profile) ?? {};
  const whose = { identifier, ...(tenant !== undefined && { tenant }) };
  const budgets = ports.allowance?.budgets(whose, held.now()) ?? [];
  const { tokens, costUsd } = limitsOf(held.state) ?? {};
  const isMetered = [tokens, costUsd, bounds.tokensPerMinute].some((it) => it !== undefined) || budgets.length > 0;
  const isMoney = budgets.some(({ nano }) => nano !== undefined);
  let { final, because }: { final: boolean; because?: RunLimit | undefined } = step;
  let days: readonly Limited[] = [];
  for (;;) {
    const request = project(held.state, context, step.shown, final, asked);
    const plan = isMetered ? await planned(fitting, request, final, days, isMoney) : undefined;
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
    };
    const { concurrency, requestsPerMinute, tokensPerMinute } = bounds;
    const reply = await held.ask([entry], {
      about: `t${step.turn}`,
      cool: [coolKey.model(asked.profile)],
      random: ports.chance.random(),
      waited: held.state.parks.at(-1)?.reason === "rate-limit",
      model: {
        profile: asked.profile,
        ...(concurrency !== undefined && { concurrency }),
        ...(requestsPerMinute !== undefined && { requestsPerMinute }),
        ...(tokensPerMinute !== undefined && { tokensPerMinute }),
      },
      ...(plan !== undefined && {
        reserve: { tokens: plan.reserve.tokens, nano: nanoOf(plan.reserve), budgets },
      }),
    });
    if (reply.is === "parked") return { is: "left", ending: "parked" };
    if (reply.is === "ok") {
      const most = plan === undefined ? {} : { maxOutputTokens: plan.output };
      return { is: "go", request: { ...request, ...most }, asked: entry };
    }
    const day = budgets.find(({ name }) => name === reply.budget);
    days = leftOfDay(day, reply, await rateOf(fitting, DEFAULT_OUTPUT, DEFAULT_OUTPUT));
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
  isMoney: boolean,
): Promise<Plan> {
  const { asked, context, held, ports } = fitting;
  const limits = limitsOf(held.state) ?? context.limits;
  const count = (await ports.rooms?.counter()) ?? mostTokens;
  const input = countedTokens(held.state, context, request, asked, count) ?? requestTokens(request, count);
  const most = ports.allowance?.profile(asked.profile).maxOutputTokens ?? DEFAULT_OUTPUT;
  const rate = await rateOf(fitting, input, most);
  if (rate.input === undefined && (limits.costUsd !== undefined || isMoney)) ports.allowance?.unpriced(asked);
  const needs: Needs = { input, output: most, growth: growthOf(limits) };
  const used = usedBy(held.state.spending);
  const purses: readonly Limited[] = [
    ...(limits.tokens === undefined
      ? []
      : [{ limit: "tokens", left: limits.tokens - used.tokens, perInput: 1, perOutput: 1 } as const]),
    ...(limits.costUsd === undefined || rate.input === undefined || rate.output === undefined
      ? []
      : [
          {
            limit: "costUsd",
            left: limits.costUsd - (used.costUsd ?? 0),
            perInput: rate.input,
            perOutput: rate.output,
          } as const,
        ]),
    ...days,
  ];
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
  const cost =
    rate.input === undefined || rate.output === undefined
      ? {}
      : { costUsd: input * rate.input + made.output * rate.output };
  const reserve = { tokens: input + made.output, ...cost };
  const purse = days[0] ?? tight("last", false);
  const last = made.is === "last" && answers && (days.length > 0 || !final);
  return { is: last ? "last" : "turn", output: made.output, reserve, ...(purse !== undefined && { purse }) };
}

async function rateOf({ asked, ports }: Fitting, input: number, output: number): Promise<Rate> {
  const many = Math.max(1, input);
  const forInput = await ports.allowance?.price(asked, { ...NO_USAGE, input: many });
  const forOutput = await ports.allowance?.price(asked, { ...NO_USAGE, output });
  return forInput === undefined || forOutput === undefined
    ? {}
    : { input: forInput / many, output: forOutput / output };
}

function leftOfDay(
  day: DayBudget | undefined,
  left: { readonly tokens?: number; readonly nano?: number },
  { input = 0, output = 0 }: Rate,
): readonly Limited[] {
  const of = day === undefined ? {} : { day };
  return [
    ...(left.tokens === undefined
      ? []
      : [{ limit: "tokens", left: left.tokens, perInput: 1, perOutput: 1, ...of } as const]),
    ...(left.nano === undefined
      ? []
      : [{ limit: "costUsd", left: left.nano / NANO, perInput: input, perOutput: output, ...of } as const]),
  ];
}

/** Not even a short answer fits. A day's budget is there again on the next day; the run's own is not, unless somebody raises it. */
async function over({ step, context, held, ports }: Fitting, { limit, day }: Limited): Promise<Ending> {
  const about = `t${step.turn}`;
  if (day !== undefined && context.atLimit !== "fail") {
    const until = Math.round(Math.max(held.now(), day.endsAt) + ports.chance.random() * SPREAD_MS);
    const message = `The day's budget is used up: ${day.name}`;
    held.note({ kind: "parked", reason: "budget", about, until, message });
    return (await held.flush({ to: "moment", until, waits: `spend:${day.name}` })) ? "parked" : "lost";
  }
  const bound = atLimit(held.state, limit, held.now());
  if (bound.is === "end") return end(held, bound.end);
  if (bound.is === "wait") {
    const { until, message } = bound;
    held.note({ kind: "parked", reason: "budget", about, limit, until, message });
    return (await held.flush({ to: "moment", until })) ? "parked" : "lost";
  }
  const what = `The run's limit is met: ${limit}. Not even a short last answer fits into what is left.`;
  return end(held, failedAt(held.state, limit, what));
}

/** A day's end wakes many: one after the other. */
const SPREAD_MS = 60_000;

function nanoOf({ costUsd = 0 }: Amount): number {
  return Math.ceil(costUsd * NANO);
}

/** @returns what it cost: as the gateway says, else by price */
export async function settleAnswer({ asked, held, ports }: Fitting, answer: ModelAnswer): Promise<Amount> {
  const { usage } = answer;
  const costUsd =
    answer.costUsd ?? (usage.input + usage.output > 0 ? await ports.allowance?.price(asked, usage) : undefined);
  const amount = amountOf(usage, costUsd, held.state.spending.reserved);
  held.settle({ tokens: amount.tokens, nano: nanoOf(amount), ok: true });
  return amount;
}

/** A provider that answers with an error has done nothing for it; without any answer it may have, and may bill it. */
export function settleFailure({ held }: Fitting, { status, class: why }: ModelFailure): Amount {
  const { reserved = { tokens: 0 } } = held.state.spending;
  const amount = status === undefined ? reserved : { tokens: 0 };
  held.settle({ tokens: amount.tokens, nano: nanoOf(amount), ok: why === "context" || why === "invalid" });
  return amount;
}
