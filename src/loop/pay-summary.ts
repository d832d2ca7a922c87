/** A summary is asked for, if it can be paid, and an answer behind it. */
import { affordSummary, LEAST_OUTPUT } from "../core/afford.ts";
import type { Amount, SummaryRequested } from "../core/journal.ts";
import type { ModelName, ModelRequest } from "../core/messages.ts";
import { mostTokens, requestTokens } from "../core/size.ts";
import { SUMMARY_TOKENS } from "../core/summary.ts";
import { announce } from "./announce.ts";
import type { Fitting } from "./fitting.ts";
import type { Ending } from "./loop.ts";
import { usedUp } from "./over.ts";
import { amountAt, leftOfDay, type Limited, type Meters, metersOf, type Payer, pursesOf, rateOf } from "./purse.ts";

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
    const reply = await announce(payer, summary, meters, "summary");
    if (reply.is === "parked") return { is: "left", ending: "parked" };
    if (reply.is === "ok")
      return { is: "go", request: { ...request, maxOutputTokens: plan?.output ?? SUMMARY_TOKENS } };
    const { budget, met } = reply;
    if (met !== undefined) return { is: "left", ending: await usedUp(fitting, meters, { budget, met }) };
    days = await leftOfDay(payer, meters, reply);
  }
}

type Plan =
  | { readonly is: "summary"; readonly output: number; readonly reserve: Amount }
  | { readonly is: "over"; readonly purse: Limited };

/** A summary, and the least answer to the request of `after` tokens that follows it. */
async function plannedSummary(
  { held, ports, asked, by }: Fitting & { readonly by: ModelName },
  request: ModelRequest,
  after: number,
  days: readonly Limited[],
  meters: Meters,
): Promise<Plan> {
  const payer: Payer = { held, ports, asked: by };
  const input = requestTokens(request, (await ports.rooms?.counter()) ?? mostTokens);
  const output = Math.min(SUMMARY_TOKENS, meters.bounds.maxOutputTokens ?? SUMMARY_TOKENS);
  const rate = await rateOf(payer, input, output);
  const answer = amountAt(await rateOf({ ports, asked }, after, LEAST_OUTPUT), after, LEAST_OUTPUT);
  const purses = pursesOf(payer, rate, days, meters).map((purse) => ({ ...purse, behind: answer[purse.limit] ?? 0 }));
  const most = affordSummary(purses, { input, output });
  const tight = purses.find((purse) => affordSummary([purse], { input, output }) === undefined);
  if (most === undefined && tight !== undefined) return { is: "over", purse: tight };
  return { is: "summary", output: most ?? output, reserve: amountAt(rate, input, most ?? output) };
}
