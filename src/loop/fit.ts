/** Before a request is sent: whether it fits its model, and what is left out of it if not. After a refusal as too long: the same, harder. */
import type { Agent } from "../core/agent.ts";
import { fit, type Fit, type Room, SUMMARY_CHARS } from "../core/compact.ts";
import type { Compacted } from "../core/journal.ts";
import { isSame } from "../core/fallback.ts";
import type { ModelFailure, ModelName, ModelRequest } from "../core/messages.ts";
import type { Step } from "../core/next.ts";
import { project } from "../core/project.ts";
import type { RunContext } from "../core/run.ts";
import { boundTokens, type Count, countedTokens, mostTokens, requestTokens } from "../core/size.ts";
import type { RunState } from "../core/state.ts";
import { summaryRequest } from "../core/summary.ts";
import type { ModelRoom } from "../ports/rooms.ts";
import { type HeldRun, LeaseLost } from "./held.ts";
import type { LoopPorts } from "./loop.ts";

type Think = Extract<Step, { do: "think" }>;

export interface Fitting {
  readonly step: Think;
  readonly asked: ModelName;
  readonly context: RunContext;
  readonly held: HeldRun;
  readonly agent: Agent;
  readonly ports: LoopPorts;
}

/** `fits`: as noted. `stopped`: the run was cancelled meanwhile. `failed`: by the model that was to sum up, or because nothing helps. */
export type Fitted =
  | { readonly is: "fits" }
  | { readonly is: "stopped" }
  | { readonly is: "failed"; readonly failure: ModelFailure };

const FITS: Fitted = { is: "fits" };

/** Of what fits: the rest is for estimates that are wrong. */
const SAFE = 0.9;
/** A step makes so much room that the next one is far away. */
const TARGET = 0.5;
/** After a refusal, of what was refused. */
const AFTER_REFUSAL = 0.75;
const MOST_REFUSALS = 3;

/** Notes what has to be left out, if anything has. */
export async function makeFit(fitting: Fitting): Promise<Fitted> {
  const { ports, asked } = fitting;
  const known = await ports.rooms?.of(asked);
  if (known === undefined) return FITS;
  const room = roomOf(known, fitting);
  const { step, context, held } = fitting;
  const request = project(held.state, context, step.shown, step.final, asked);
  if (requestTokens(request, boundTokens) <= room.most || requestTokens(request, mostTokens) <= room.most) return FITS;
  // What the provider counted needs no counting again: only what has come since does.
  const count = (await ports.rooms?.counter()) ?? mostTokens;
  if ((countedTokens(held.state, context, request, asked, count) ?? Infinity) <= room.most) return FITS;
  const hard = known.guessed ? Infinity : known.contextTokens;
  return take(await planned(fitting, "full", room), fitting, room, hard);
}

/** The provider said that the request is too long. */
export async function afterRefusal(fitting: Fitting, failure: ModelFailure): Promise<Fitted> {
  const { step, held, asked } = fitting;
  const before = held.state.compactions.filter((one) => one.turn === step.turn && isRefused(one, asked));
  if (before.length >= MOST_REFUSALS) return { is: "failed", failure };
  const { now } = await sizes(fitting);
  const room = { most: Math.floor(now * AFTER_REFUSAL), target: Math.floor(now * TARGET) };
  const plan = await planned(fitting, "refused", room);
  return plan.do === "overflow" ? { is: "failed", failure } : take(plan, fitting, room, now);
}

function isRefused({ because, asked }: Compacted, by: ModelName): boolean {
  return because === "refused" && isSame(asked, by);
}

function roomOf({ contextTokens, answerTokens }: ModelRoom, { held, asked }: Fitting): Room {
  const refused = held.state.compactions.filter((one) => isRefused(one, asked)).map(({ from }) => from);
  const most = Math.floor(Math.min(contextTokens - answerTokens, ...refused) * SAFE);
  return { most, target: Math.floor(most * TARGET) };
}

/** Tokens of the request as the run is, and what a changed state would have. */
async function sizes({ step, context, held, asked, ports }: Fitting): Promise<{
  readonly now: number;
  readonly sizeOf: (state: RunState) => number;
}> {
  const count = remembering((await ports.rooms?.counter()) ?? mostTokens);
  const estimate = (state: RunState): number =>
    requestTokens(project(state, context, step.shown, step.final, asked), count);
  const request = project(held.state, context, step.shown, step.final, asked);
  const guess = Math.max(1, estimate(held.state));
  const now = countedTokens(held.state, context, request, asked, count) ?? guess;
  return { now, sizeOf: (state) => Math.round((estimate(state) * now) / guess) };
}

/** A ladder of plans counts the same texts many times. */
function remembering(count: Count): Count {
  const known = new Map<string, number>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const tokens = count(text);
    known.set(text, tokens);
    return tokens;
  };
}

async function planned(fitting: Fitting, because: Compacted["because"], room: Room): Promise<Fit> {
  const { step, asked, held, agent } = fitting;
  const { sizeOf } = await sizes(fitting);
  const canSummarise = agent.summariser !== false;
  return fit(held.state, { turn: step.turn, because, asked, room, sizeOf, canSummarise });
}

async function take(plan: Fit, fitting: Fitting, room: Room, hard: number): Promise<Fitted> {
  const { held } = fitting;
  switch (plan.do) {
    case "fits":
      return FITS;
    case "compact":
      held.note(plan.entry);
      return FITS;
    case "overflow":
      // A margin is no reason to fail, nor is a guess.
      if (plan.tokens <= hard) return FITS;
      return overflow(`The request has about ${plan.tokens} tokens; ${room.most} fit, and nothing can be left out.`);
    case "summarise":
      return summarise(plan, fitting, room);
  }
}

function overflow(message: string): Fitted {
  return { is: "failed", failure: { kind: "failure", class: "context", message } };
}

/** A summary that cannot be had now is waited for, as any model call; one that cannot be had at all is done without, if that helps. */
async function summarise(plan: Extract<Fit, { do: "summarise" }>, fitting: Fitting, room: Room): Promise<Fitted> {
  const { step, context, held, agent, ports } = fitting;
  const asked = typeof agent.summariser === "object" ? agent.summariser : fitting.asked;
  const own = (await ports.rooms?.of(asked))?.contextTokens ?? room.most;
  const { messages } = project(held.state, context, step.shown, step.final, fitting.asked);
  const most = Math.max(2_000, Math.min(room.most, own * SAFE - 8_000));
  const count = (await ports.rooms?.counter()) ?? mostTokens;
  let request: ModelRequest;
  let chars = 4 * most;
  do {
    request = summaryRequest(held.state, context, messages, { before: plan.before, asked, chars });
    chars /= 2;
  } while (chars > 1_000 && requestTokens(request, count) > most);
  await held.flush();
  held.assertLease();
  const reply = await ports.model.respond(request, { timeoutMs: context.limits.modelTimeoutMs, signal: held.stop });
  if (held.signal.aborted) throw new LeaseLost("aborted during a summary");
  if (held.stop.aborted) return { is: "stopped" };
  if (reply.kind === "failure" && reply.class !== "context" && reply.class !== "invalid")
    return { is: "failed", failure: { ...reply, message: `While old turns were summed up: ${reply.message}` } };
  const text = reply.kind === "answer" && reply.finish !== "refused" ? reply.text.trim() : "";
  if (reply.kind === "failure" || text === "") {
    const why = reply.kind === "failure" ? reply.message : `${asked.profile}/${asked.model} gave no summary`;
    if (plan.otherwise === undefined)
      return overflow(`The transcript is too long, and its old turns could not be summed up: ${why}`);
    held.note(plan.otherwise);
    return FITS;
  }
  const { usage, costUsd, servedModel, requestId, tookMs } = reply;
  const cost = costUsd === undefined ? {} : { costUsd };
  const summary = { before: plan.before, text: text.slice(0, 2 * SUMMARY_CHARS).toWellFormed() };
  held.note({ ...plan.entry, summary, by: { ...asked, usage, ...cost, servedModel, requestId, tookMs } });
  // It was paid for.
  await held.flush();
  return FITS;
}
