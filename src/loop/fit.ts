/** Before a request is sent: whether it fits its model, and what is left out of it if not. After a refusal as too long: the same, harder. */
import { fit, type Fit, type Room } from "../core/compact.ts";
import type { Compacted } from "../core/journal.ts";
import { isSame } from "../core/fallback.ts";
import type { ModelFailure, ModelName } from "../core/messages.ts";
import { project } from "../core/project.ts";
import { boundTokens, type Count, countedTokens, mostTokens, requestTokens } from "../core/size.ts";
import type { RunState } from "../core/state.ts";
import type { ModelRoom } from "../ports/rooms.ts";
import type { Fitted, Fitting } from "./fitting.ts";
import { summarise } from "./summarise.ts";

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
  const fits: Fitted = { is: "fits", request };
  if (requestTokens(request, boundTokens) <= room.most || requestTokens(request, mostTokens) <= room.most) return fits;
  // What the provider counted needs no counting again: only what has come since does.
  const count = (await ports.rooms?.counter()) ?? mostTokens;
  if ((countedTokens(held.state, context, request, asked, count) ?? Infinity) <= room.most) return fits;
  const hard = known.guessed ? Infinity : known.contextTokens;
  return take(await planned(fitting, "full", room), fitting, room, hard);
}

/** The provider said that the request is too long. */
export async function afterRefusal(fitting: Fitting, failure: ModelFailure): Promise<Fitted> {
  const { step, held, asked } = fitting;
  const before = held.state.compactions.filter(
    (one) => one.turn === step.turn && isRefused(one, asked) && one.to < one.from,
  );
  if (before.length >= MOST_REFUSALS) return { is: "failed", failure };
  const { now } = await sizes(fitting);
  const room = { most: Math.floor(now * AFTER_REFUSAL), target: Math.floor(now * TARGET) };
  const plan = await planned(fitting, "refused", room);
  // Before anything else is asked for: what was refused has used nothing.
  if (plan.do === "summarise")
    held.note({ kind: "compacted", turn: step.turn, because: "refused", asked, from: now, to: now });
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
