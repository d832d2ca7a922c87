/** What must hold of each step of an answer's way. Each check throws, and each has a mutant that it finds (mutants.ts). */
import { toolNamed } from "../../../src/core/aliases.ts";
import type { Judgement } from "../../../src/core/judge.ts";
import { isObject, type Json } from "../../../src/core/json.ts";
import type { Message, ModelAnswer, ModelFailure } from "../../../src/core/messages.ts";
import type { RunContext } from "../../../src/core/run.ts";
import type { Fault } from "../../../src/models/failure.ts";
import type { ProtocolName } from "../lab.ts";
import { RULES } from "./way.ts";

/** More calls than this chat completions do not take in one message. */
const MOST_CHAT_CALLS = 128;

export function checkFailure({ message }: ModelFailure): void {
  const shown = message !== "" && message.length < 600 && message.isWellFormed();
  expect(shown, `a message that cannot be shown: ${JSON.stringify(message.slice(0, 700))}`);
}

export function checkAnswer({ usage, calls, text, verbatim, costUsd = 0 }: ModelAnswer): void {
  for (const count of Object.values(usage))
    expect(Number.isInteger(count) && count >= 0, `a count of ${String(count)}`);
  expect(Number.isFinite(costUsd) && costUsd >= 0, `a cost of ${costUsd}`);
  for (const call of calls)
    for (const value of [call.name, call.arguments, call.providerId])
      expect(typeof value === "string" && value.isWellFormed(), "a call of ill-formed texts");
  expect(text.isWellFormed(), "an ill-formed text");
  expect(isJson(verbatim), "what is kept is no JSON");
}

/** What JSON carries and UTF-8 can write, whatever it is typed as. */
function isJson(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  if (isObject(value)) return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJson);
  return value === null || typeof value === "boolean";
}

type Verdict = Exclude<Judgement, { leadsTo: "discard" }>;

/** F3. */
export function checkPolicy(answer: ModelAnswer, { plan }: Verdict, { tools, limits }: RunContext): void {
  const made = plan.filter((call) => call.verdict === "run");
  expect(made.length <= limits.callsPerTurn, `${made.length} calls in one turn`);
  expect(answer.finish !== "refused" || made.length === 0, "a refusal that calls tools");
  expect(plan.length === 0 || plan.length === answer.calls.length, `${plan.length} of ${answer.calls.length} calls`);
  expect(new Set(plan.map(({ id }) => id)).size === plan.length, "ids that come twice");
  for (const [index, call] of plan.entries()) {
    if (call.verdict !== "run") continue;
    const asked = answer.calls[index];
    const tool = tools.find(({ name }) => name === call.name);
    const known = tool !== undefined && toolNamed(tools, asked?.name ?? "") === tool;
    expect(known, `a call of ${call.name}, which was not asked for or is not there`);
    const fits = isObject(call.args) && typeof call.args["id"] === "string";
    expect(fits && noOthers(call.args), `arguments against the schema: ${JSON.stringify(call.args)}`);
    const written: unknown = JSON.parse(asked?.arguments ?? "");
    expect(JSON.stringify(written) === JSON.stringify(call.args), "other arguments than were written");
  }
  const whole =
    answer.finish !== "length" || made.length === 0 || answer.calls.every((call) => isWhole(call.arguments));
  expect(whole, "calls of an answer that was cut inside one of them");
}

function noOthers(args: Json): boolean {
  return Object.entries(args ?? {}).every(([key, value]) => key === "id" || (key === "n" && typeof value === "number"));
}

function isWhole(args: string): boolean {
  try {
    return isObject(JSON.parse(args));
  } catch {
    return false;
  }
}

/** F4. What is kept may differ in what holds nothing. */
export function checkSame(whole: ModelAnswer | Fault, pieces: ModelAnswer | Fault): void {
  const [a, b] = [whole, pieces].map((reply) => {
    if (reply.kind === "fault") return "a fault";
    const { text, calls, finish, usage, servedModel } = reply;
    return JSON.stringify({ text, calls, finish, usage, servedModel });
  });
  expect(a === b, `another answer in pieces: ${b} for ${a}`);
}

/** F4. What all objects share stays as it is. */
export function checkShared(): void {
  const strange = Object.keys(Object.prototype);
  for (const key of strange) Reflect.deleteProperty(Object.prototype, key);
  expect(strange.length === 0, `all objects have ${strange.join(", ")}`);
}

/** F2. */
export function checkRequest(protocol: ProtocolName, body: unknown, messages: readonly Message[]): void {
  const text = JSON.stringify(body);
  const problems = RULES[protocol](JSON.parse(text));
  expect(problems.length === 0, `${protocol} refuses the next request: ${problems.join(" ")}\n${text}`);
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    const ids = protocol === "chat" ? message.callIds.slice(0, MOST_CHAT_CALLS) : message.callIds;
    for (const id of ids) expect(text.includes(`"${id}"`), `the result of ${id} is missing`);
  }
}

export function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
