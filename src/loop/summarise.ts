/**
 * Old turns are summed up by a model: a model call like any other, asked for, paid for and settled (pay-summary.ts).
 *
 * S1 A summary that cannot be had now is waited for, as any model call.
 * S2 One that cannot be had at all, or that the run's or the day's budget does not pay for, is done without, if leaving out is enough:
 *    the ladder's next rung. If not, it is as if the turn itself could not be paid.
 */
import { type Fit, type Room, SUMMARY_CHARS } from "../core/compact.ts";
import type { Amount } from "../core/journal.ts";
import type { ModelName, ModelRequest } from "../core/messages.ts";
import { project } from "../core/project.ts";
import { mostTokens, requestTokens } from "../core/size.ts";
import { summaryRequest } from "../core/summary.ts";
import { coolModel } from "./cool.ts";
import type { Fitted, Fitting } from "./fitting.ts";
import { LeaseLost } from "./held.ts";
import { over } from "./over.ts";
import { askSummary } from "./pay-summary.ts";
import { settleAnswer, settleFailure } from "./settle.ts";

type Plan = Extract<Fit, { do: "summarise" }>;

const FITS: Fitted = { is: "fits" };
/** Of what fits into the model that sums up, and what is kept free for its text. */
const SAFE = 0.9;
const ANSWER = 8_000;

export async function summarise(plan: Plan, fitting: Fitting, room: Room): Promise<Fitted> {
  const { context, held, agent, ports } = fitting;
  const by = typeof agent.summariser === "object" ? agent.summariser : fitting.asked;
  const asking = await askSummary({ ...fitting, by }, await requestFor(plan, fitting, room, by), plan);
  if (asking.is === "left") return asking;
  if (asking.is === "short") {
    if (plan.otherwise === undefined) return { is: "left", ending: await over(fitting, asking.purse, "summary") };
    held.note(plan.otherwise);
    return FITS;
  }
  held.assertLease();
  const reply = await ports.model.respond(asking.request, {
    timeoutMs: context.limits.modelTimeoutMs,
    signal: held.stop,
  });
  if (held.signal.aborted) throw new LeaseLost("aborted during a summary");
  if (held.stop.aborted) return { is: "stopped" };
  const payer = { held, ports, asked: by };
  if (reply.kind === "failure") {
    const waitMs = await coolModel(payer, reply);
    const spent = settleFailure(payer, reply);
    if (reply.class === "context" || reply.class === "invalid") return without(plan, fitting, reply.message, spent);
    const wish = waitMs === undefined ? {} : { retryAfterMs: Math.max(waitMs, reply.retryAfterMs ?? 0) };
    const message = `While old turns were summed up: ${reply.message}`;
    return { is: "failed", failure: { ...reply, ...wish, message }, spent };
  }
  const spent = await settleAnswer(payer, reply);
  const text = reply.finish === "refused" ? "" : reply.text.trim();
  if (text === "") return without(plan, fitting, `${by.profile}/${by.model} gave no summary`, spent);
  const { usage, servedModel, requestId, tookMs } = reply;
  const cost = spent.costUsd === undefined ? {} : { costUsd: spent.costUsd };
  const summary = { before: plan.before, text: text.slice(0, 2 * SUMMARY_CHARS).toWellFormed() };
  held.note({ ...plan.entry, summary, by: { ...by, usage, ...cost, servedModel, requestId, tookMs } });
  // It was paid for.
  await held.flush();
  return FITS;
}

/** As much of the old turns as fits into the model that sums up. */
async function requestFor(
  plan: Plan,
  { step, context, held, asked, ports }: Fitting,
  room: Room,
  by: ModelName,
): Promise<ModelRequest> {
  const own = (await ports.rooms?.of(by))?.contextTokens ?? room.most;
  const { messages } = project(held.state, context, step.shown, step.final, asked);
  const most = Math.max(2_000, Math.min(room.most, own * SAFE - ANSWER));
  const count = (await ports.rooms?.counter()) ?? mostTokens;
  let request: ModelRequest;
  let chars = 4 * most;
  do {
    request = summaryRequest(held.state, context, messages, { before: plan.before, asked: by, chars });
    chars /= 2;
  } while (chars > 1_000 && requestTokens(request, count) > most);
  return request;
}

/** No summary is to be had. */
function without({ otherwise }: Plan, { held }: Fitting, why: string, spent: Amount): Fitted {
  if (otherwise !== undefined) {
    held.note({ ...otherwise, spent });
    return FITS;
  }
  const message = `The transcript is too long, and its old turns could not be summed up: ${why}`;
  return { is: "failed", failure: { kind: "failure", class: "context", message }, spent };
}
