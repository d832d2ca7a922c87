/** The product with one defect each, and what the fuzzer says of it. A check that finds no mutant checks nothing. */
import type { Judgement, Judging } from "../../../src/core/judge.ts";
import type { Json } from "../../../src/core/json.ts";
import type { Message, ModelAnswer, ModelRequest } from "../../../src/core/messages.ts";
import type { PlannedCall } from "../../../src/core/plan.ts";
import { PRODUCT, type Way } from "./way.ts";

export interface Mutant {
  readonly name: string;
  readonly way: Way;
  readonly found: RegExp;
}

type Answered = (answer: ModelAnswer, body: unknown) => ModelAnswer;

function reading(name: string, found: RegExp, change: Answered): Mutant {
  const read: Way["read"] = (protocol, body, asked) => {
    const reply = PRODUCT.read(protocol, body, asked);
    return reply.kind === "answer" ? change(reply, body) : reply;
  };
  return { name, found, way: { ...PRODUCT, read } };
}

function judging(
  name: string,
  found: RegExp,
  asked: (answer: ModelAnswer, judging: Judging) => readonly [ModelAnswer, Judging],
  planned: (plan: readonly PlannedCall[], answer: ModelAnswer) => readonly PlannedCall[] = (plan) => plan,
): Mutant {
  const judge = (answer: ModelAnswer, given: Judging): Judgement => {
    const judgement = PRODUCT.judge(...asked(answer, given));
    return "plan" in judgement ? { ...judgement, plan: planned(judgement.plan, answer) } : judgement;
  };
  return { name, found, way: { ...PRODUCT, judge } };
}

const asIs = (answer: ModelAnswer, given: Judging): readonly [ModelAnswer, Judging] => [answer, given];

function writing(name: string, found: RegExp, change: (messages: readonly Message[]) => readonly Message[]): Mutant {
  const write: Way["write"] = (protocol, request: ModelRequest, dice) =>
    PRODUCT.write(protocol, { ...request, messages: change(request.messages) }, dice);
  return { name, found, way: { ...PRODUCT, write } };
}

function collecting(name: string, found: RegExp, change: (events: readonly unknown[]) => readonly unknown[]): Mutant {
  return { name, found, way: { ...PRODUCT, collect: (protocol, events) => PRODUCT.collect(protocol, change(events)) } };
}

const LONE = "\ud83d";

function renaming(name: string, id: (old: string, index: number) => string): Mutant {
  return judging(name, /refuses the next request/, asIs, (plan) =>
    plan.map((call, i) => ({ ...call, id: id(call.id, i) })),
  );
}

export const MUTANTS: readonly Mutant[] = [
  reading("throws on an odd finish", /TypeError: mutant/, (answer) => {
    if (answer.finish === "other") throw new TypeError("mutant");
    return answer;
  }),
  {
    name: "an error's words as they came",
    found: /a message that cannot be shown/,
    way: { ...PRODUCT, tell: (fault, telling) => ({ ...PRODUCT.tell(fault, telling), message: said(fault.error) }) },
  },
  reading("counts as they came", /a count of (-|0\.5)/, (answer, body) => {
    const counts = Object.values(usageIn(body)).filter((count) => typeof count === "number");
    return { ...answer, usage: { ...answer.usage, input: counts[0] ?? 0 } };
  }),
  reading("half a cent too little", /a cost of -/, (answer) => ({ ...answer, costUsd: (answer.costUsd ?? 0) - 0.005 })),
  reading("half a character in a call's arguments", /a call of ill-formed texts/, (answer) => ({
    ...answer,
    calls: answer.calls.map((call) => ({ ...call, arguments: call.arguments + LONE })),
  })),
  reading("half a character in a text", /an ill-formed text/, (answer) => ({ ...answer, text: answer.text + LONE })),
  reading("half a character in what is kept", /what is kept is no JSON/, (answer) => ({
    ...answer,
    verbatim: [LONE, answer.verbatim] as unknown as Json,
  })),
  judging("no bound for the calls of a turn", /\d+ calls in one turn/, (answer, given) => [
    answer,
    { ...given, context: { ...given.context, limits: { ...given.context.limits, callsPerTurn: 1_000 } } },
  ]),
  judging("calls of a refusal", /a refusal that calls tools/, (answer, given) => [
    answer.finish === "refused" ? { ...answer, finish: "stop" } : answer,
    given,
  ]),
  judging("calls of a cut answer", /calls of an answer that was cut/, (answer, given) => [
    answer.finish === "length" ? { ...answer, finish: "stop" } : answer,
    given,
  ]),
  judging("one id for all calls of a turn", /ids that come twice/, asIs, (plan) =>
    plan.map((call) => ({ ...call, id: plan[0]?.id ?? call.id })),
  ),
  judging("a call that is forgotten", /\d+ of \d+ calls/, asIs, (plan) => plan.slice(0, 2)),
  judging("the nearest tool", /which was not asked for or is not there/, (answer, given) => [
    { ...answer, calls: answer.calls.map((call) => ({ ...call, name: call.name.replace("mial", "mail") })) },
    given,
  ]),
  judging("no schemas", /arguments against the schema/, (answer, given) => [answer, { ...given, check: () => [] }]),
  judging("arguments made to fit", /other arguments than were written/, asIs, (plan) =>
    plan.map((call) => (call.verdict === "run" ? { ...call, args: { id: "0" } } : call)),
  ),
  renaming("ids that begin anew with each turn", (_id, i) => `c${i}`),
  renaming("long ids", (id) => `${id}:${"x".repeat(70)}`),
  renaming("empty ids", (id, i) => (i === 0 ? "" : id)),
  writing("a result that is lost", /the result of t\dc\d is missing/, (messages) => {
    const lost = messages.findLastIndex(({ role }) => role === "tool");
    return messages.filter((_, i) => i !== lost);
  }),
  collecting("a piece that is lost", /another answer in pieces/, (events) => events.filter((_, i) => i !== 1)),
  collecting("the last event alone", /another answer in pieces/, (events) => events.slice(-1)),
  collecting("pieces that reach all objects", /all objects have stray/, (events) => {
    Object.assign(Object.prototype, { stray: events.length });
    return events;
  }),
  {
    name: "a role that there is not",
    found: /refuses the next request/,
    way: {
      ...PRODUCT,
      write: (...args): unknown => JSON.parse(JSON.stringify(PRODUCT.write(...args)).replace(/"user"/, '"usr"')),
    },
  },
];

function usageIn(body: unknown): Record<string, unknown> {
  const usage: unknown = typeof body === "object" && body !== null && "usage" in body ? body.usage : undefined;
  return typeof usage === "object" && usage !== null ? { ...usage } : {};
}

function said(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : "";
}
