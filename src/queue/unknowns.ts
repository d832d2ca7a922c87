/** The list of outcomes that nobody knows, for the people who can find out, and their answers. */
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import { isUnanswered } from "../core/doubts.ts";
import { ErrandError } from "../core/errors.ts";
import { reviewGate } from "../core/gate.ts";
import type { Decision, Unknown } from "../core/journal.ts";
import { plannedCall } from "../core/planned-call.ts";
import type { RunState } from "../core/state.ts";
import { type Answer, answerNonce, type Evidence } from "../core/outcome.ts";
import type { RunStatus } from "../core/run.ts";
import { decodeEvidence, decodeTickets } from "./codec.ts";
import type { RunReader, RunRecord } from "./reader.ts";
import { ANSWER } from "./scripts/answer.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";

/** What is needed to find out at the provider whether a call was executed. Holds no arguments: those are the user's. Times: Redis ms. */
export interface UnknownOutcome {
  readonly run: string;
  readonly call: string;
  readonly tool: string;
  readonly connection: string;
  /** Scalekit's id of the account that the call was made with. */
  readonly account?: string;
  readonly agent: string;
  readonly identifier: string;
  readonly status: RunStatus;
  /** The run waits for the answer. */
  readonly waits: boolean;
  /** Between these two the call may have been sent. Nothing when Redis lost the intent. */
  readonly from?: number;
  readonly to?: number;
  readonly recordedAt: number;
  /** Which attempt of the call, and how it was called at the provider: `run:call`. */
  readonly attempt?: number;
  readonly executionId?: string;
  /** What its worker last heard. */
  readonly message?: string;
}

export interface UnknownPage {
  readonly outcomes: readonly UnknownOutcome[];
  readonly cursor?: string;
}

export interface UnknownFilter {
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

/** Oldest first. @throws ErrandError `option-invalid` */
export async function listUnknowns(store: Store, reader: RunReader, filter: UnknownFilter): Promise<UnknownPage> {
  checkOptionNames("unknowns", filter, { limit: true, cursor: true } satisfies OptionNames<UnknownFilter>);
  const { limit = 50, cursor = "" } = filter;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new ErrandError(
      "option-invalid",
      `unknowns: limit: expected a whole number from 1 to 1000, got ${String(limit)}.`,
    );
  const after = /^(\d+) (\S+ \S+)$/.exec(cursor);
  if (cursor !== "" && after === null)
    throw new ErrandError("option-invalid", "unknowns: cursor: expected the cursor of an earlier page.");
  const [, score = "0", last = ""] = after ?? [];
  const page = await pageOf(store, "unknowns", score, last, limit);
  const outcomes = await Promise.all(page.map(([member]) => outcomeOf(store, reader, member)));
  const [member, at] = page.at(-1) ?? [];
  return {
    outcomes: outcomes.filter((it) => it !== undefined),
    ...(page.length === limit && { cursor: `${at} ${member}` }),
  };
}

/** Members after this one, with their scores. Several may have the same score; then they stand in the order of their names. */
export async function pageOf(
  store: Store,
  index: string,
  score: string,
  last: string,
  limit: number,
): Promise<(readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  for (let offset = 0; ; offset += limit) {
    const flat = await store.redis.zrange(
      `${store.prefix}${index}`,
      score,
      "+inf",
      "BYSCORE",
      "LIMIT",
      offset,
      limit,
      "WITHSCORES",
    );
    for (let i = 0; i < flat.length; i += 2) {
      const [member = "", at = ""] = flat.slice(i, i + 2);
      if (at !== score || member > last) found.push([member, at]);
      if (found.length === limit) return found;
    }
    if (flat.length < 2 * limit) return found;
  }
}

/** Nothing for a run that has expired, or an outcome that a late result has settled meanwhile: those leave the list; and for an unreadable run. */
async function outcomeOf(store: Store, reader: RunReader, member: string): Promise<UnknownOutcome | undefined> {
  const [run = "", intent = ""] = member.split(" ");
  try {
    const record = await reader.read(run);
    const unknown = record.state.unknowns[intent];
    if (unknown !== undefined && isUnanswered(record.state, unknown)) return describe(record, unknown);
  } catch (error) {
    if (error instanceof ErrandError && error.code === "journal-unreadable") return undefined;
    if (!(error instanceof ErrandError) || error.code !== "run-unknown") throw error;
  }
  await store.redis.zrem(`${store.prefix}unknowns`, member);
  return undefined;
}

function describe({ state, status, reason }: RunRecord, unknown: Decision<Unknown>): UnknownOutcome {
  const { call, tool, intent, at } = unknown;
  const claim = state.claims[call]?.find((it) => it.intent === intent);
  const outcome = state.evidence[intent]?.outcome;
  const heard = outcome?.kind === "unknown" ? outcome : undefined;
  const connection = connectionOf(state, call);
  const account = state.prepared?.accounts[connection];
  return {
    run: state.id,
    call,
    tool,
    connection,
    ...(account !== undefined && { account }),
    agent: state.created.agent,
    identifier: state.created.identifier,
    status,
    waits: status === "parked" && reason === "review",
    ...(claim !== undefined && { from: claim.at, to: claim.at + claim.windowMs, attempt: claim.attempt }),
    recordedAt: at,
    ...(heard !== undefined && { message: heard.message }),
    ...(heard?.executionId !== undefined && { executionId: heard.executionId }),
  };
}

function connectionOf(state: RunState, call: string): string {
  const planned = plannedCall(state, call);
  return planned?.verdict === "run" ? planned.connection : "";
}

export interface GivenAnswer {
  readonly run: string;
  readonly call: string;
  readonly says: Answer["says"];
  /** Who says so; stands in the run's history. */
  readonly by?: string;
}

const SAYS: readonly Answer["says"][] = ["happened", "not-executed", "stop"];

/**
 * Writes down what a person found out; a run that waits for it goes on.
 * @throws ErrandError `run-unknown`, `answer-invalid` for a call whose outcome is not unknown, or was answered otherwise
 */
export async function answerUnknown(
  store: Store,
  tickets: Tickets,
  reader: RunReader,
  given: GivenAnswer,
): Promise<void> {
  const { run, call, says, by } = given;
  if (!SAYS.includes(says))
    throw new ErrandError("answer-invalid", `answer: expected one of ${SAYS.join(", ")}, got ${JSON.stringify(says)}.`);
  if (by !== undefined && (typeof by !== "string" || by.length > 200))
    throw new ErrandError("answer-invalid", "answer: by: expected a text of at most 200 characters.");
  const { state } = await reader.read(run);
  const mine = Object.values(state.unknowns).filter((it) => it.call === call);
  const open = mine.find((it) => isUnanswered(state, it)) ?? mine.at(-1);
  if (open === undefined) throw notUnknown(run, call, state);
  const answer: Answer = { kind: "answered", says, ...(by !== undefined && { by }) };
  const evidence: Omit<Evidence, "at"> = {
    nonce: answerNonce(open.intent),
    call,
    tool: open.tool,
    argsHash: open.argsHash,
    outcome: answer,
    tookMs: 0,
  };
  const [result, what, ...made] = await store.run(ANSWER, run, open.intent, JSON.stringify(evidence), reviewGate(run));
  await tickets.add(decodeTickets(made));
  if (result !== "was") return;
  const { outcome } = decodeEvidence(String(what));
  if (outcome.kind === "answered" && outcome.says !== says)
    throw new ErrandError(
      "answer-invalid",
      `run ${run}: call ${call} was answered before, as ${outcome.says}; the first answer stands.`,
    );
}

function notUnknown(run: string, call: string, state: RunState): ErrandError {
  const calls = Object.values(state.unknowns).map((it) => it.call);
  const told = calls.length === 0 ? "This run has none." : `This run has: ${[...new Set(calls)].join(", ")}.`;
  return new ErrandError(
    "answer-invalid",
    `run ${run}: ${JSON.stringify(call)} is no call whose outcome is unknown. ${told}`,
  );
}
