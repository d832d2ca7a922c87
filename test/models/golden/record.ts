/**
 * Writes the journal of a run as the loop writes it: the same answers said in each protocol, read by its adapter and judged. What is equal
 * in all of them is one journal; only the provider's own words are kept for each.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Decision, Entry, PlannedCall, RunnableCall, Shown } from "../../../src/core/journal.ts";
import { judge } from "../../../src/core/judge.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import type { ModelAnswer, ModelName } from "../../../src/core/messages.ts";
import { pastOf } from "../../../src/core/loops.ts";
import type { Evidence, Outcome } from "../../../src/core/outcome.ts";
import { checkReadResult, READ_RESULT, withReadResult } from "../../../src/core/read-result.ts";
import type { RunContext } from "../../../src/core/run.ts";
import { foldRun, type RunState } from "../../../src/core/state.ts";
import type { Validated } from "../../../src/core/schema.ts";
import type { Answer } from "../../../src/testing/model/reply.ts";
import { createChecker } from "../../../src/tools/check.ts";
import { PRODUCT } from "../fuzz/way.ts";
import { PROTOCOLS, type ProtocolName } from "../lab.ts";
import { SPOKEN } from "../spoken.ts";

/** A turn, and what became of its calls. */
export interface Turn {
  /** In every protocol alike; or one that only one of them has. */
  readonly said: Answer | JsonObject;
  /** It was said in this protocol, whichever the run's next request is in. */
  readonly by?: ProtocolName;
  readonly asked?: ModelName;
  /** Of each call that is made, the outcomes of its attempts, or what it is shown as without one. */
  readonly calls?: readonly (readonly Outcome[] | Exclude<Shown, { evidence: string }>["as"])[];
  /** Between the first attempts and the second ones. */
  readonly meanwhile?: readonly Entry[];
  /** After the calls, before the next request. */
  readonly afterwards?: readonly Entry[];
  readonly output?: Validated<Json>;
}

export interface Story {
  readonly name: string;
  readonly about: string;
  readonly context: RunContext;
  readonly turns: readonly Turn[];
  /** The next request is the last one. */
  readonly final?: true;
  /** Who is asked next, if not the agent's own model. */
  readonly asked?: ModelName;
}

export interface Journal {
  readonly about: string;
  readonly decisions: readonly Decision[];
  readonly evidence: readonly Evidence[];
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);
const check = createChecker();
const USAGE = { input: 100, output: 10 } as const;
/** The journal whose turns hold `{ chat, responses, messages }` where the provider's own message stands. */
export function journalOf(story: Story): Journal {
  const written = PROTOCOLS.map((protocol) => [protocol, write(story, protocol)] as const);
  const [[, first]] = written as [(typeof written)[number]];
  const decisions = first.decisions.map((decision, i): Decision => {
    if (decision.kind !== "turn-committed") return decision;
    const all = written.map(([protocol, { decisions }]) => [protocol, decisions[i]] as const);
    const verbatims = all.map(([protocol, one]) => [protocol, one?.kind === "turn-committed" ? one.verbatim : null]);
    for (const [protocol, one] of all)
      assert.deepEqual(
        { ...one, verbatim: 0 },
        { ...decision, verbatim: 0 },
        `${story.name}: another turn on ${protocol}`,
      );
    const isOne = story.turns[decision.turn]?.by !== undefined;
    return { ...decision, verbatim: isOne ? decision.verbatim : (Object.fromEntries(verbatims) as Json) };
  });
  return { about: story.about, decisions, evidence: first.evidence };
}

/** As a worker whose model speaks this protocol would have written it. */
export function spokenIn({ decisions, evidence }: Journal, protocol: ProtocolName): Omit<Journal, "about"> {
  const own = decisions.map((one): Decision => {
    if (one.kind !== "turn-committed") return one;
    const { verbatim } = one;
    return isEach(verbatim) ? { ...one, verbatim: verbatim[protocol] } : one;
  });
  return { decisions: own, evidence };
}

function isEach(verbatim: Json): verbatim is Readonly<Record<ProtocolName, Json>> {
  return typeof verbatim === "object" && verbatim !== null && PROTOCOLS.every((protocol) => protocol in verbatim);
}

type Committed = Pick<Extract<Decision, { kind: "turn-committed" }>, "plan">;

function write(story: Story, protocol: ProtocolName): { decisions: Decision[]; evidence: Evidence[] } {
  const { context, turns, final = false, asked: last } = story;
  const decisions: Decision[] = [];
  const evidence: Evidence[] = [];
  let epoch = 0;
  const at = (): number => Date.UTC(2026, 10, 21, 10) + 1_000 * (decisions.length + evidence.length);
  const note = (entry: Entry): void => {
    if (entry.kind === "leased") epoch++;
    decisions.push({ ...entry, at: at(), epoch });
  };
  const settle = ({ plan }: Committed, { calls = [], meanwhile = [] }: Turn): readonly Shown[] => {
    const made = plan.filter((call) => call.verdict === "run");
    const attempts = made.map((_, i) => calls[i] ?? []).map((all) => (typeof all === "string" ? [undefined] : all));
    for (let n = 0; n < Math.max(0, ...attempts.map((all) => all.length)); n++) {
      if (n === 1) meanwhile.forEach(note);
      const now = made.flatMap((call, i) =>
        n < (attempts[i]?.length ?? 0) ? [{ call, outcome: attempts[i]?.[n] }] : [],
      );
      for (const { call } of now) note(claimOf(call, n + 1));
      // Those that began last are the first to answer.
      for (const { call, outcome } of now.toReversed())
        if (outcome !== undefined) evidence.push(evidenceOf(call, n + 1, outcome, at()));
    }
    return plan.map((call) => shownOf(call, calls[made.findIndex((one) => one === call)] ?? []));
  };
  note({ kind: "created", agent: "golden", identifier: "user_1", input: {} });
  note({ kind: "leased", worker: "w1" });
  note({ kind: "prepared", context, accounts: { gmail: "ca_1" } });
  let shown: readonly Shown[] = [];
  for (const [number, turn] of turns.entries()) {
    const asked = turn.asked ?? { profile: context.profile, model: context.model };
    note({ kind: "turn-requested", turn: number, attempt: 1, final: false, shown, asked });
    const answer = read(turn, protocol, `${story.name}:${number}`);
    const judgement = judged(answer, foldRun("golden", decisions, evidence), context, turn.output);
    assert.ok(judgement.leadsTo !== "discard", `${story.name}: turn ${number} is none`);
    const { verbatim, text, finish, usage, servedModel } = answer;
    const said = { verbatim, text, finish, usage, servedModel, requestId: `req_${number}`, tookMs: 900 };
    note({ kind: "turn-committed", turn: number, asked, ...said, ...judgement });
    shown = settle(judgement, turn);
    turn.afterwards?.forEach(note);
  }
  const asked = last ?? { profile: context.profile, model: context.model };
  note({ kind: "turn-requested", turn: turns.length, attempt: 1, final, shown, asked });
  return { decisions, evidence };
}

function read({ said, by }: Turn, protocol: ProtocolName, seed: string): ModelAnswer {
  const spoken = by ?? protocol;
  const body = isAnswer(said) ? SPOKEN[spoken]({ usage: USAGE, ...said }, seed) : said;
  const reply = PRODUCT.read(spoken, body, { model: "m-1", tookMs: 900 });
  assert.equal(reply.kind, "answer", JSON.stringify(reply));
  assert.ok(reply.kind === "answer", "an answer");
  return reply;
}

function isAnswer(said: Answer | JsonObject): said is Answer {
  return said["kind" as keyof typeof said] === "answer";
}

function judged(
  answer: ModelAnswer,
  state: RunState,
  context: RunContext,
  output?: Validated<Json>,
): ReturnType<typeof judge> {
  const { turns } = state;
  return judge(answer, {
    turn: turns.length,
    final: false,
    context: withReadResult(context),
    callsMade: turns.flatMap(({ plan }) => plan).filter(({ verdict }) => verdict === "run").length,
    past: pastOf(state),
    repairs: turns.filter(({ leadsTo }) => leadsTo === "again").length,
    check: (tool, args) => (tool === READ_RESULT ? checkReadResult(args) : check(tool.hash, tool.parameters, args)),
    hash,
    withKey: (_tool, args) => args,
    ...(output !== undefined && { output }),
  });
}

function claimOf({ id, name, argsHash }: RunnableCall, attempt: number): Entry {
  return {
    kind: "call-claimed",
    call: id,
    attempt,
    intent: `${id}#${attempt}`,
    tool: name,
    argsHash,
    windowMs: 60_000,
  };
}

function evidenceOf({ id, name, argsHash }: RunnableCall, attempt: number, outcome: Outcome, at: number): Evidence {
  return { nonce: `${id}#${attempt}`, call: id, tool: name, argsHash, outcome, tookMs: 40, at };
}

function shownOf({ id, verdict }: PlannedCall, became: NonNullable<Turn["calls"]>[number]): Shown {
  if (verdict === "reject") return { call: id, as: "rejected" };
  if (became === "repeat") return { call: id, as: "repeat", of: "t0c0" };
  if (became === "limited") return { call: id, as: "limited", limit: "activeMs" };
  return typeof became === "string" ? { call: id, as: became } : { call: id, evidence: `${id}#${became.length}` };
}
