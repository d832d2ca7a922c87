/** One turn: ask the model, judge the answer, note it as committed. */
import type { Agent } from "../core/agent.ts";
import { answerJson, judge, type Judgement } from "../core/judge.ts";
import { type Json, toJson } from "../core/json.ts";
import { type Failed, hasAnother, modelFor, mostHopeful } from "../core/fallback.ts";
import type { FailureClass, ModelAnswer, ModelFailure, Trouble } from "../core/messages.ts";
import type { Amount, TurnAccepted, TurnRequested } from "../core/journal.ts";
import { next, type Step } from "../core/next.ts";
import { pastOf } from "../core/loops.ts";
import { project } from "../core/project.ts";
import { checkReadResult, READ_RESULT, withReadResult } from "../core/read-result.ts";
import type { RunContext } from "../core/run.ts";
import { validate, type Validated } from "../core/schema.ts";
import { afterModelFailure } from "../core/waiting.ts";
import { answerTo } from "./answer.ts";
import { withApprovals } from "./approve.ts";
import { coolKey, coolModel } from "./cool.ts";
import { afterRefusal, makeFit } from "./fit.ts";
import type { Fitting } from "./fitting.ts";
import { withKey } from "./key.ts";
import type { Left, LoopPorts } from "./loop.ts";
import type { HeldRun } from "./held.ts";
import { end, endByAgentError, parkOrEnd } from "./leave.ts";
import { askModel, type Asking } from "./pay.ts";
import { settleAnswer, settleFailure } from "./settle.ts";

type Think = Extract<Step, { do: "think" }>;

export async function think(step: Think, held: HeldRun, agent: Agent, ports: LoopPorts): Promise<Left> {
  const { context } = held.state;
  if (context === undefined) throw new Error(`run ${held.id}: asked to think before it was prepared`);
  const asked = step.accepted?.asked ?? modelFor(held.state, context);
  const fitting = { step, asked, context, held, agent, ports };
  const asking = step.accepted === undefined ? await ask(fitting) : askedBefore(fitting, step.accepted);
  if (asking.is === "left") return asking.ending;
  const { turn, final, because } = asking.asked;
  const reply = await answerTo(fitting, asking);
  if (reply === undefined) return undefined;
  if (reply.kind === "failure") return isToAskAnew(fitting, reply) ? askAnew(fitting) : noAnswer(fitting, reply);
  const spent = await settleAnswer(fitting, reply);

  let judgement: Judgement;
  try {
    judgement = await judged(reply, { turn, final, ...(because && { because }) }, context, held, agent, ports);
  } catch (error) {
    return endByAgentError(held, agent, "output schema or key function", error);
  }
  if (judgement.leadsTo === "discard") return discarded(fitting, judgement, spent);
  if (isRefusal(judgement) && hasAnother(held.state, context, asked, "refused"))
    return failed(fitting, { why: "refused", message: "The model refused to answer." }, spent);
  const { costUsd } = spent;
  const { verbatim, text, finish, usage, servedModel, requestId, kept, history } = reply;
  const tookMs = step.accepted === undefined ? reply.tookMs : Math.round(held.now() - step.accepted.at);
  const cost = costUsd === undefined ? {} : { costUsd };
  if (history === "rebuilt") ports.log.info("model.history-rebuilt", { run: held.id, turn, profile: asked.profile });
  held.note({
    kind: "turn-committed",
    turn,
    asked,
    verbatim,
    text,
    finish,
    usage,
    ...cost,
    servedModel,
    requestId,
    tookMs,
    ...(kept !== undefined && { kept }),
    ...(history !== undefined && { history }),
    ...judgement,
  });
  return undefined;
}

type Asked = Asking | { readonly is: "left"; readonly ending: Left };

/** Once the model can be asked, the request fits it, and what it may use is kept aside. */
async function ask(fitting: Fitting): Promise<Asked> {
  const closed = await closedFor(fitting);
  if (closed !== undefined) return { is: "left", ending: await failed(fitting, closed) };
  const fitted = await makeFit(fitting);
  switch (fitted.is) {
    case "stopped":
      return { is: "left", ending: undefined };
    case "left":
      return fitted;
    case "failed":
      return { is: "left", ending: await failed(fitting, failedOf(fitted.failure), fitted.spent) };
    case "fits":
      return askModel(fitting, fitted.request);
  }
}

/** The same request as then: the answer belongs to it. */
function askedBefore({ step, asked, context, held }: Fitting, { turn, attempt }: TurnAccepted): Asking {
  const { final, because, shown } = step;
  const request = project(held.state, context, shown, final, asked);
  const entry: TurnRequested = { kind: "turn-requested", turn, attempt, final, shown, asked };
  return { is: "go", request, asked: because === undefined ? entry : { ...entry, because } };
}

/** What was waited for is gone. That is not the model's failure, once. */
function isToAskAnew({ held }: Fitting, { background }: ModelFailure): boolean {
  const { accepted, requested } = held.state;
  return background === "gone" && accepted !== undefined && requested?.lost === undefined;
}

/** With what has become known since the first time: a person may have said what became of a call, or that the run is to stop. */
function askAnew({ step: { accepted: _gone, ...before }, held, agent, ports }: Fitting): Promise<Left> {
  const lost = held.state.accepted?.answer ?? "";
  ports.log.warn("model.answer-gone", { run: held.id, turn: before.turn, answer: lost });
  const step = next({ ...held.state, accepted: undefined }, { now: held.now(), cancelled: held.cancelled });
  if (step.do === "end") return end(held, step.end);
  return think({ ...(step.do === "think" ? step : before), lost }, held, agent, ports);
}

async function judged(
  answer: ModelAnswer,
  step: Pick<Think, "turn" | "final" | "because">,
  context: RunContext,
  held: HeldRun,
  agent: Agent,
  ports: LoopPorts,
): Promise<Judgement> {
  const mayFinish = answer.calls.length === 0 || step.final;
  const output =
    mayFinish && agent.output !== undefined && answer.text.trim() !== ""
      ? await validOutput(agent, answer.text)
      : undefined;
  const { turns } = held.state;
  const judgement = judge(answer, {
    turn: step.turn,
    final: step.final,
    ...(step.because !== undefined && { because: step.because }),
    context: withReadResult(context),
    callsMade: turns.flatMap((t) => t.plan).filter((call) => call.verdict === "run").length,
    past: pastOf(held.state),
    repairs: turns.filter((t) => t.leadsTo === "again").length,
    check: (tool, args) => (tool === READ_RESULT ? checkReadResult(args) : ports.toolbox.check(tool, args)),
    hash: ports.hash,
    withKey: (tool, args, call) => withKey(held.id, tool, args, call, agent, ports),
    ...(output !== undefined && { output }),
  });
  if (judgement.leadsTo !== "act") return judgement;
  return { ...judgement, plan: await withApprovals(judgement.plan, held, agent, ports) };
}

async function validOutput(agent: Agent, text: string): Promise<Validated<Json>> {
  const parsed = answerJson(text);
  if (!parsed.ok) return { ok: false, issues: [parsed.problem] };
  if (agent.output === undefined) return { ok: true, value: toJson(parsed.value) };
  const result = await validate(agent.output, parsed.value);
  return result.ok ? { ok: true, value: toJson(result.value) } : result;
}

function isRefusal(judgement: Judgement): boolean {
  return judgement.leadsTo === "fail" && judgement.failure?.code === "refused";
}

/** Where there are other models, nobody waits for one that cools down. */
async function closedFor({ context, held, asked, ports }: Fitting): Promise<Failed | undefined> {
  if (context.fallbacks === undefined || context.fallbacks.length === 0) return undefined;
  const closed = await ports.cooling?.closed([coolKey.model(asked.profile)]);
  if (closed === undefined || !hasAnother(held.state, context, asked, closed.why)) return undefined;
  const retryAfterMs = Math.max(0, Math.round(closed.until - held.now()));
  return { why: closed.why, message: `Profile "${asked.profile}" cools down.`, retryAfterMs };
}

async function noAnswer(fitting: Fitting, reply: ModelFailure): Promise<Left> {
  const waitMs = await coolModel(fitting, reply);
  const spent = settleFailure(fitting, reply);
  if (reply.class === "context") return tooLong(fitting, reply, spent);
  const wish = waitMs === undefined ? {} : { retryAfterMs: Math.max(waitMs, reply.retryAfterMs ?? 0) };
  return failed(fitting, { ...failedOf(reply), ...wish }, spent);
}

/** Too long for this model: less is shown, as far as that helps, and it is asked again. */
async function tooLong(fitting: Fitting, failure: ModelFailure, spent: Amount): Promise<Left> {
  const fitted = await afterRefusal(fitting, failure);
  if (fitted.is === "left") return fitted.ending;
  return fitted.is === "failed" ? failed(fitting, failedOf(fitted.failure), fitted.spent ?? spent) : undefined;
}

function failedOf({ class: why, message, retryAfterMs }: ModelFailure): Failed {
  return { why, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** Another model is asked at once, if there is one and the trouble is of that kind; else the run waits or ends, as the best of them says. */
async function failed({ step, held, context, asked, ports }: Fitting, failure: Failed, spent?: Amount): Promise<Left> {
  const { why, message, retryAfterMs } = failure;
  const used = spent === undefined ? {} : { spent };
  if (hasAnother(held.state, context, asked, why)) {
    const wish = retryAfterMs === undefined ? {} : { retryAfterMs };
    held.note({ kind: "turn-failed", turn: step.turn, asked, why, message, ...wish, ...used });
    return undefined;
  }
  const { why: best, code, ...told } = mostHopeful([failure, ...held.state.failures]);
  const after = afterModelFailure(
    held.state,
    step.turn,
    { kind: "failure", class: classOf(best), ...told },
    context.limits.attempts,
    ports.chance.random(),
  );
  if (after.do === "park") return parkOrEnd(held, { ...after, park: { ...after.park, ...used } });
  return end(held, { ...after.end, ...(code !== undefined && { code }), ...used });
}

function classOf(why: Trouble): FailureClass {
  return why === "unusable" ? "retry" : why === "refused" ? "invalid" : why;
}

/** An answer that is no answer counts as a failed attempt; when those are used up, the run ends with the answer's own fault. */
function discarded(
  fitting: Fitting,
  { code, message }: Extract<Judgement, { leadsTo: "discard" }>,
  spent: Amount,
): Promise<Left> {
  return failed(fitting, { why: "unusable", message, code }, spent);
}
