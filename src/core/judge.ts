/** A model's answer, judged before it is committed: which calls may run, whether it finishes, asks again or fails (facts/seeds.md D.4). */
import { shownName, toolNamed } from "./aliases.ts";
import type { PlannedCall, TurnCommitted } from "./journal.ts";
import { canonical, isObject, isTooDeep, type Json } from "./json.ts";
import type { RunLimit } from "./limits.ts";
import { type Loop, type PastTurn, repetition, sameErrors } from "./loops.ts";
import type { ModelAnswer, RequestedCall } from "./messages.ts";
import { nearest } from "./nearest.ts";
import { errorEnvelope } from "./outcome.ts";
import { type FailureCode, type FrozenTool, LIMIT_CODE, type RunContext, visibleTools } from "./run.ts";
import type { Validated } from "./schema.ts";

export interface Judging {
  readonly turn: number;
  readonly final: boolean;
  readonly context: RunContext;
  /** Calls made in earlier turns. */
  readonly callsMade: number;
  /** The turns before this one. */
  readonly past?: readonly PastTurn[];
  /** Of a last turn: the limit that makes it so. */
  readonly because?: RunLimit;
  /** Answers already sent back because they failed the output schema. */
  readonly repairs: number;
  /** Problems of arguments against the tool's schema, each with its path; empty: they fit. */
  readonly check: (tool: FrozenTool, args: Json) => readonly string[];
  readonly hash: (text: string) => string;
  /** The arguments as they are sent: with our key, if the tool takes one. */
  readonly withKey: (tool: FrozenTool, args: Json, call: string) => Json;
  /** Of an answer that can finish, when the agent has an output schema. */
  readonly output?: Validated<Json>;
}

type Verdict = Pick<TurnCommitted, "plan" | "leadsTo" | "nudge" | "failure" | "output" | "truncated">;
/** `discard`: not a turn at all; ask again. */
export type Judgement = Verdict | { readonly leadsTo: "discard"; readonly message: string; readonly code: FailureCode };

export function judge(answer: ModelAnswer, judging: Judging): Judgement {
  if (answer.finish === "refused") return failed("refused", "The model refused to answer.");
  if (answer.calls.length > 0 && !judging.final) return planned(answer, judging);
  if (answer.text.trim() === "") {
    if (judging.final && answer.calls.length > 0)
      return failed(
        LIMIT_CODE[judging.because ?? "turns"],
        "The model asked for more tools on its last turn and gave no answer.",
      );
    return { leadsTo: "discard", code: "empty-answer", message: "The model gave neither text nor tool calls." };
  }
  return finished(answer, judging);
}

function finished(answer: ModelAnswer, judging: Judging): Verdict {
  const truncated = judging.final || answer.finish === "length" ? { truncated: true } : {};
  const { output } = judging;
  if (output === undefined) return { plan: [], leadsTo: "finish", ...truncated };
  if (output.ok) return { plan: [], leadsTo: "finish", output: output.value, ...truncated };
  const problems = output.issues.join("; ");
  const cut = answer.finish === "length";
  // The last turn, too, may be repaired: without a valid output the whole run was for nothing.
  if (judging.repairs >= judging.context.limits.repairs)
    return cut
      ? failed(
          "output-truncated",
          `The answer was cut before its end, and so does not fit the output schema: ${problems}`,
        )
      : failed("output-invalid", `The answer does not fit the agent's output schema: ${problems}`);
  const nudge = cut
    ? "Your answer was cut off, because it was too long. Answer again with only the JSON, and much shorter."
    : `Your answer does not fit the required output: ${problems}. Answer again with only the corrected JSON.`;
  return { plan: [], leadsTo: "again", nudge };
}

function failed(code: FailureCode, message: string): Verdict {
  return { plan: [], leadsTo: "fail", failure: { code, message } };
}

function planned(answer: ModelAnswer, judging: Judging): Judgement {
  const calls = answer.calls.map((requested, i) => planCall(requested, `t${judging.turn}c${i}`, judging));
  if (answer.finish === "length" && !isWhole(answer.calls, calls))
    return {
      leadsTo: "discard",
      code: "output-truncated",
      message: "The answer was cut in the middle of its tool calls.",
    };
  const { limits } = judging.context;
  const room = Math.min(limits.callsPerTurn, Math.max(0, limits.toolCalls - judging.callsMade));
  const isLast = room < limits.callsPerTurn;
  let running = 0;
  const plan = calls.map((call) =>
    call.verdict === "run" && ++running > room ? reject(call, tooMany(room, isLast)) : call,
  );
  return { leadsTo: "act", ...withoutLoop(plan, judging) };
}

/** What goes round in circles is not made again; a tool that keeps failing is, with a word to the model. */
function withoutLoop(
  plan: readonly PlannedCall[],
  { past = [], context }: Judging,
): Pick<TurnCommitted, "plan" | "nudge"> {
  const polling = pollingTools(context);
  const loop = repetition([...past.map((turn) => turn.plan), plan], polling);
  if (loop.is !== "none")
    return { plan: plan.map((call) => (polling.has(call.name) ? call : reject(call, looped(loop)))) };
  const failing = sameErrors(past, polling);
  return failing.is === "none"
    ? { plan }
    : { plan, nudge: `${failing.why}. Try something else, or answer without it.` };
}

export function pollingTools({ tools }: RunContext): ReadonlySet<string> {
  return new Set(tools.filter((tool) => tool.polling === true).map(({ name }) => name));
}

function looped({ why }: Exclude<Loop, { is: "none" }>): Json {
  return envelope(
    "RepeatedCalls",
    `You asked for ${why}. This one was not made again: its results stand above. Do something else, or answer with what you have.`,
  );
}

/**
 * A cut answer may end in the middle of a call's arguments: its calls run only if every one of them is whole. No arguments at all
 * are then taken for cut ones.
 */
function isWhole(requested: readonly RequestedCall[], calls: readonly PlannedCall[]): boolean {
  return calls.every((call) => call.verdict === "run") && requested.every((call) => call.arguments.trim() !== "");
}

/** @param isLast the run may make no more of them at all */
function tooMany(room: number, isLast: boolean): Json {
  const then = isLast
    ? "The run may make no more. Answer with what you have, and say what was not done."
    : "Ask again for what you still need.";
  return envelope("TooManyCalls", `Only ${room} tool calls can be made now; this one was not made. ${then}`);
}

function planCall(requested: RequestedCall, id: string, { context, check, hash, withKey }: Judging): PlannedCall {
  const tools = visibleTools(context);
  const tool = toolNamed(tools, requested.name);
  const known = {
    id,
    name: tool?.name ?? requested.name,
    providerId: requested.providerId,
    argsHash: hash(canonicalText(requested.arguments)),
  };
  if (tool === undefined) return reject(known, unknownTool(requested.name, tools));
  const args = parseArguments(requested.arguments);
  if (!args.ok)
    return reject(known, envelope("InvalidArguments", `${requested.name}: ${args.problem} Send one JSON object.`));
  const problems = check(tool, args.value);
  if (problems.length > 0)
    return reject(known, envelope("InvalidArguments", `${requested.name}: ${problems.slice(0, 10).join("; ")}`));
  const sent = withKey(tool, args.value, id);
  return { verdict: "run", args: sent, effect: tool.effect, connection: tool.connection, ...known };
}

type Named = Pick<PlannedCall, "id" | "name" | "providerId" | "argsHash">;

function reject({ id, name, providerId, argsHash }: Named, answer: Json): PlannedCall {
  return { id, name, providerId, verdict: "reject", answer, ...(argsHash !== undefined && { argsHash }) };
}

/** Of arguments that are no JSON object: as they came. */
function canonicalText(text: string): string {
  const args = parseArguments(text);
  return args.ok ? canonical(args.value) : text;
}

function unknownTool(name: string, tools: readonly FrozenTool[]): Json {
  const names = tools.map(shownName);
  // A model may write a name of any length; comparing takes time by length.
  const asked = name.slice(0, 100);
  const close = nearest(asked, names, 10);
  const all = names.length === 0 ? "There are none." : `The tools are: ${names.slice(0, 20).join(", ")}.`;
  const hint = close.length > 0 ? `Did you mean: ${close.join(", ")}?` : all;
  return envelope("UnknownTool", `There is no tool ${JSON.stringify(asked)}. ${hint}`);
}

/** Some providers send an empty text for no arguments. */
function parseArguments(text: string): { ok: true; value: Json } | { ok: false; problem: string } {
  if (text.trim() === "") return { ok: true, value: {} };
  try {
    const value: unknown = JSON.parse(text);
    const kind = Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
    if (!isObject(value)) return { ok: false, problem: `the arguments are ${kind}, not an object.` };
    if (isTooDeep(value)) return { ok: false, problem: "the arguments are nested too deeply." };
    return { ok: true, value: value as Json };
  } catch (error) {
    return {
      ok: false,
      problem: `the arguments are not valid JSON (${error instanceof Error ? error.message.slice(0, 200) : "unreadable"}).`,
    };
  }
}

function envelope(type: string, message: string): Json {
  return errorEnvelope(type, message) as unknown as Json;
}

/** The JSON value of an answer: as it stands, or inside one fence of backquotes. */
export function answerJson(text: string): { ok: true; value: unknown } | { ok: false; problem: string } {
  const fenced = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(text);
  try {
    return { ok: true, value: JSON.parse(fenced?.[1] ?? text) };
  } catch (error) {
    return {
      ok: false,
      problem: `not valid JSON (${error instanceof Error ? error.message.slice(0, 200) : "unreadable"})`,
    };
  }
}
