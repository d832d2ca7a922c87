/**
 * What must be true of a run whose workers died, whatever killed them and where: read from the journal, from the emulator's ledger of what
 * was really executed, and from what the model was asked. Answers what is not, in words; nothing when all is well.
 */
import { isDeepStrictEqual } from "node:util";
import type { Effect } from "../../src/core/effects.ts";
import type { CallClaimed, Decision } from "../../src/core/journal.ts";
import type { Turn } from "../../src/core/state.ts";
import type { RunRecord } from "../../src/queue/reader.ts";
import { type Execution, type RecordedRequest, toolOutcomes } from "../../src/testing/index.ts";
import type { LabRun } from "./lab.ts";
import { KEY } from "./shop.ts";
import { ANSWER, CALLS, TURNS } from "./story.ts";

/** A run as it stood at one moment. */
export interface Seen {
  readonly record: RunRecord;
  readonly executions: readonly Execution[];
  readonly requests: readonly RecordedRequest[];
}

/** How a run stood when a worker died. */
export interface Death extends Seen {
  /** As the journal names that worker. */
  readonly worker: string;
}

export interface Told {
  readonly run: LabRun;
  /** Of the workers that had to do with it, in their order. */
  readonly deaths: readonly Death[];
  readonly end: Seen;
  /** More requests to the model, and more intents of a call that may be repeated, than deaths account for. */
  readonly spare?: { readonly requests: number; readonly intents: number };
}

const NONE = { requests: 0, intents: 0 };

export function verdict(told: Told): string[] {
  const problems = [...ended(told), ...owners(told), ...callsMade(told), ...modelAsked(told), ...transcripts(told)];
  return problems.map((problem) => `${told.run.name} (${told.run.id}): ${problem}`);
}

function ended({ end: { record } }: Told): string[] {
  const { decisions, status, state } = record;
  const ends = decisions.filter((d) => d.kind === "ended");
  return [
    ...(status === "completed" && state.ended?.output === ANSWER
      ? []
      : [`it ended as ${status}: ${JSON.stringify(state.ended)}`]),
    ...(ends.length === 1 && decisions.at(-1)?.kind === "ended" ? [] : [`${ends.length} × ended, or not last`]),
  ];
}

/** Without a stack: what CI keeps of a failure is its last lines. */
export function assertNone(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const error = new Error(problems.join("\n"));
  error.stack = error.message;
  throw error;
}

/** Each lease raises the epoch; every decision is its owner's; a claim after a claim is a death, and there are no others. */
function owners({ deaths, end: { record } }: Told): string[] {
  const problems: string[] = [];
  let epoch = 0;
  let held = false;
  let crashes = 0;
  for (const d of record.decisions) {
    if (d.kind === "leased") {
      if (d.epoch <= epoch) problems.push(`epoch ${d.epoch} after ${epoch}`);
      if (held) crashes += 1;
      epoch = d.epoch;
      held = true;
    } else {
      if (d.epoch !== epoch) problems.push(`${d.kind} of epoch ${d.epoch} while ${epoch} owned it`);
      if (d.kind === "parked" || d.kind === "yielded" || d.kind === "ended") held = false;
    }
  }
  const died = deaths.filter(isOwner).length;
  if (crashes !== died) problems.push(`${crashes} crashes counted, but ${died} workers died while they had it`);
  return problems;
}

function isOwner({ record: { status, decisions }, worker }: Death): boolean {
  const last = decisions.findLast((d) => d.kind === "leased");
  return status === "running" && last?.worker === worker;
}

type Intent = Decision<CallClaimed>;

function callsMade(told: Told): string[] {
  const { end } = told;
  const planned = end.record.state.turns.flatMap((turn) => turn.plan);
  const problems = isDeepStrictEqual(
    planned.map((call) => [call.id, call.name]),
    CALLS.map((call) => [call.id, call.tool]),
  )
    ? []
    : ["it did not plan the story's calls"];
  return problems.concat(CALLS.flatMap((_, i) => oneCall(told, i).map((problem) => `${CALLS[i]?.id}: ${problem}`)));
}

function oneCall({ run, deaths, end, spare = NONE }: Told, index: number): string[] {
  const { id = "", tool = "", effect = "unsafe" } = CALLS[index] ?? {};
  const executed = executionsOf(end, run, id);
  const intents = end.record.state.claims[id] ?? [];
  const call = end.record.state.turns.flatMap((turn) => turn.plan).find((one) => one.id === id);
  const problems: string[] = [];

  for (const { tool: name, input } of executed)
    if (name !== tool || call?.verdict !== "run" || !isDeepStrictEqual(input, call.args))
      problems.push(`executed as ${name} ${JSON.stringify(input)}, which nobody decided`);
  if (executed.length > intents.length)
    problems.push(`executed ${executed.length} times for ${intents.length} intents`);
  if (new Set(intents.map((intent) => intent.intent)).size !== intents.length)
    problems.push("two intents with one nonce");

  const inFlight = new Set(deaths.flatMap(({ record }) => openIntent(record, id) ?? [])).size;
  const refused = intents.filter(
    ({ intent }) => end.record.state.evidence[intent]?.outcome.kind === "not-executed",
  ).length;
  const mayBeMade = effect === "unsafe" ? 1 + refused : 1 + inFlight + spare.intents;
  if (intents.length > mayBeMade) problems.push(`${intents.length} intents, expected at most ${mayBeMade}`);
  if (effect === "unsafe" && executed.length > 1) problems.push(`unsafe, and executed ${executed.length} times`);
  if (isLooked(effect) && executed.length !== 1) problems.push(`${effect}, and executed ${executed.length} times`);
  if (effect === "keyed" && new Set(executed.map(({ input }) => input[KEY])).size !== 1)
    problems.push(`keyed, and executed with several keys, or none`);
  if (inFlight + spare.intents === 0 && executed.length !== 1)
    problems.push(`executed ${executed.length} times without a death in flight`);

  for (const death of deaths)
    if (isSettled(death.record, id) && executionsOf(death, run, id).length !== executed.length)
      problems.push("settled, and executed again");
  if (effect !== "read" && effect !== "unsafe") problems.push(...onlyAfterDeadline(intents, end.record));
  return problems.concat(shownToModel(id, effect, intents, end));
}

function onlyAfterDeadline(intents: readonly Intent[], { state }: RunRecord): string[] {
  return intents.slice(1).flatMap((intent, i) => {
    const former = intents[i];
    if (former === undefined || state.evidence[former.intent] !== undefined) return [];
    const early = former.at + former.windowMs - intent.at;
    return early > 0 ? [`made again ${early} ms before the deadline of the former intent`] : [];
  });
}

function isLooked(effect: Effect): boolean {
  return effect === "staged" || effect === "verifiable";
}

/** What the decision names, the model has seen: the result, or that nobody knows. */
function shownToModel(id: string, effect: Effect, intents: readonly Intent[], { record, requests }: Seen): string[] {
  const number = Number(id[1]);
  const turn: Turn | undefined = record.state.turns[number];
  const shown = turn?.shown?.find((one) => one.call === id);
  const index = Number(id[3]) + CALLS.findIndex((call) => call.id === `t${number}c0`);
  const last = requests.findLast((request) => request.turn === number + 1);
  const error = last === undefined ? "not asked" : toolOutcomes(last)[index]?.error;
  if (shown === undefined) return ["no decision names what the model is shown of it"];
  if ("evidence" in shown) {
    const kind = record.state.evidence[shown.evidence]?.outcome.kind;
    return kind === "ok" && error === undefined ? [] : [`shown as evidence ${kind}, the model saw ${error}`];
  }
  if (isLooked(effect) && "as" in shown && shown.as === "happened")
    return error === undefined ? [] : [`shown as happened, the model saw ${error}`];
  // A worker knows the evidence that was there when it claimed the run, and its own. What a zombie brings later it may not see.
  const asked = record.decisions.findLastIndex((d) => d.kind === "turn-requested" && d.turn === number + 1);
  const readAt = record.decisions.slice(0, asked).findLast((d) => d.kind === "leased")?.at ?? 0;
  const known = intents.some(({ intent }) => {
    const evidence = record.state.evidence[intent];
    return evidence?.outcome.kind === "ok" && evidence.at < readAt;
  });
  return effect === "unsafe" && shown.as === "unknown" && error === "OutcomeUnknown" && !known
    ? []
    : [`${effect}, shown as ${shown.as} (${known ? "known" : "not known"}), the model saw ${error}`];
}

/** Each answer is committed once, and bought once more only when a worker died between the request and the commit. */
function modelAsked({ deaths, end, spare = NONE }: Told): string[] {
  const problems: string[] = [];
  const turns = end.record.decisions.flatMap((d) => (d.kind === "turn-committed" ? [d.turn] : []));
  if (
    !isDeepStrictEqual(
      turns,
      Array.from({ length: TURNS }, (_, i) => i),
    )
  )
    problems.push(`turns ${turns.join()}`);
  let left = spare.requests;
  for (let turn = 0; turn < TURNS; turn++) {
    const asked = timesAsked(end, turn);
    const lost = deaths.filter((death, i) => {
      const before = deaths[i - 1];
      return (
        timesAsked(death, turn) > (before === undefined ? 0 : timesAsked(before, turn)) && !isCommitted(death, turn)
      );
    }).length;
    const more = asked - 1 - lost;
    if (more > 0 && left >= more) left -= more;
    else if (more !== 0) problems.push(`turn ${turn} was bought ${asked} times, with ${lost} deaths on the way`);
  }
  return problems;
}

/** What a model has seen is never changed: each request goes on from the last one of the turn before. */
function transcripts({ end: { requests } }: Told): string[] {
  return requests.flatMap((request) => {
    const former = requests.findLast((one) => one.turn === request.turn - 1)?.messages ?? [];
    return isDeepStrictEqual(request.messages.slice(0, former.length), former)
      ? []
      : [`the transcript of turn ${request.turn} does not go on from that of the turn before`];
  });
}

function timesAsked({ requests }: Seen, turn: number): number {
  return requests.filter((request) => request.turn === turn).length;
}

function isCommitted({ record }: Seen, turn: number): boolean {
  return record.decisions.some((d) => d.kind === "turn-committed" && d.turn === turn);
}

function executionsOf({ executions }: Seen, run: LabRun, call: string): Execution[] {
  return executions.filter((execution) => execution.agentRunId === `${run.id}:${call}`);
}

/** The last intent, if nobody knows what became of it. */
function openIntent({ state }: RunRecord, call: string): string | undefined {
  const last = state.claims[call]?.at(-1)?.intent;
  const kind = last === undefined ? "none" : (state.evidence[last]?.outcome.kind ?? "unknown");
  return kind === "unknown" ? last : undefined;
}

function isSettled({ state }: RunRecord, call: string): boolean {
  return (state.claims[call] ?? []).some(({ intent }) => state.evidence[intent]?.outcome.kind === "ok");
}
