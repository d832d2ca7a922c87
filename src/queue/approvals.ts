/** Calls that wait for a person's word, and what people say of them. */
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import { approvalNonce, decisionOn } from "../core/approval.ts";
import type { ApprovalPolicy } from "../core/needs-approval.ts";
import type { Effect } from "../core/effects.ts";
import { ErrandError } from "../core/errors.ts";
import { approvalGate } from "../core/gate.ts";
import { checkIdentifier } from "../core/identifier.ts";
import type { ApprovalAsked, Decision, RunnableCall } from "../core/journal.ts";
import { canonical, isObject, type Json, type JsonObject, toJson } from "../core/json.ts";
import type { Approval, Evidence } from "../core/outcome.ts";
import type { FrozenTool, RunStatus } from "../core/run.ts";
import { plannedCall } from "../core/planned-call.ts";
import type { RunState } from "../core/state.ts";
import { decodeEvidence, decodeTickets } from "./codec.ts";
import type { RunReader, RunRecord } from "./reader.ts";
import { DECIDE } from "./scripts/decide.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";
import { pageOf } from "./unknowns.ts";

/** A call that waits for a person's word. `args` are the user's data: never log them. Times: Redis ms. */
export interface PendingApproval {
  /** `<run>/<…>`: what it is decided by. */
  readonly id: string;
  readonly run: string;
  readonly call: string;
  readonly tool: string;
  readonly effect: Effect;
  readonly connection: string;
  /** As the model gave them. */
  readonly args: Json;
  /** Which rule asks for it. */
  readonly policy: ApprovalPolicy;
  readonly agent: string;
  readonly identifier: string;
  readonly status: RunStatus;
  readonly askedAt: number;
  /** From then on it is denied. */
  readonly expiresAt: number;
}

export interface ApprovalPage {
  readonly approvals: readonly PendingApproval[];
  readonly cursor?: string;
}

export interface ApprovalFilter {
  /** Only of runs on behalf of this user. */
  readonly identifier?: string;
  /** Of those that are looked at: 1 to 1000, default 50. With `identifier` a page may hold fewer. */
  readonly limit?: number;
  /** From the page before. */
  readonly cursor?: string;
}

export interface Denial {
  /** Who decides, in the app's words; stands in the run's history. */
  readonly by?: string;
  /** Why, for the model. */
  readonly message?: string;
}

export interface Consent extends Pick<Denial, "by"> {
  /** Other arguments than those that were asked for. The tool's schema holds for them as well. */
  readonly args?: Readonly<Record<string, unknown>>;
}

const FILTER: OptionNames<ApprovalFilter> = { identifier: true, limit: true, cursor: true };
const WORDS: Record<"approved" | "denied", Readonly<Record<string, true>>> = {
  approved: { by: true, args: true } satisfies OptionNames<Consent>,
  denied: { by: true, message: true } satisfies OptionNames<Denial>,
};

/** Oldest first. @throws ErrandError `option-invalid`, `identifier-invalid` */
export async function listApprovals(store: Store, reader: RunReader, filter: ApprovalFilter): Promise<ApprovalPage> {
  checkOptionNames("approvals", filter, FILTER);
  const { identifier, limit = 50, cursor = "" } = filter;
  if (identifier !== undefined) checkIdentifier(identifier);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new ErrandError(
      "option-invalid",
      `approvals: limit: expected a whole number from 1 to 1000, got ${String(limit)}.`,
    );
  const after = /^([\d.]+) (\S+ \S+)$/.exec(cursor);
  if (cursor !== "" && after === null)
    throw new ErrandError("option-invalid", "approvals: cursor: expected the cursor of an earlier page.");
  const [, score = "0", last = ""] = after ?? [];
  const page = await pageOf(store, "approvals", score, last, limit);
  const found = await Promise.all(page.map(([member]) => approvalOf(store, reader, member)));
  const [member, at] = page.at(-1) ?? [];
  return {
    approvals: found.filter(
      (it) => it !== undefined && (identifier === undefined || it.identifier === identifier),
    ) as readonly PendingApproval[],
    ...(page.length === limit && { cursor: `${at} ${member}` }),
  };
}

/** Nothing for one that is decided, whose time is over, or whose run is gone: those leave the list; and for one that cannot be read. */
async function approvalOf(store: Store, reader: RunReader, member: string): Promise<PendingApproval | undefined> {
  const [run = "", id = ""] = member.split(" ");
  try {
    const record = await reader.read(run);
    const asked = Object.values(record.state.approvals).find((it) => it.id === id);
    const call = asked && callOf(record.state, asked);
    if (asked !== undefined && call !== undefined && isOpen(record, asked)) return describe(record, asked, call);
  } catch (error) {
    if (error instanceof ErrandError && error.code === "journal-unreadable") return undefined;
    if (!(error instanceof ErrandError) || error.code !== "run-unknown") throw error;
  }
  await store.redis.zrem(`${store.prefix}approvals`, member);
  return undefined;
}

function isOpen({ state }: RunRecord, asked: ApprovalAsked): boolean {
  return state.ended === undefined && decisionOn(state, asked) === undefined;
}

function callOf(state: RunState, { call }: ApprovalAsked): RunnableCall | undefined {
  const planned = plannedCall(state, call);
  return planned?.verdict === "run" ? planned : undefined;
}

function toolOf(state: RunState, { name }: RunnableCall): FrozenTool | undefined {
  return state.context?.tools.find((tool) => tool.name === name);
}

function describe({ state, status }: RunRecord, asked: Decision<ApprovalAsked>, call: RunnableCall): PendingApproval {
  const { created } = state;
  return {
    id: `${state.id}/${asked.id}`,
    run: state.id,
    call: call.id,
    tool: call.name,
    effect: call.effect,
    connection: call.connection,
    args: withoutKey(toolOf(state, call), call.args),
    policy: asked.policy,
    agent: created.agent,
    identifier: created.identifier,
    status,
    askedAt: asked.at,
    expiresAt: asked.until,
  };
}

function withoutKey(tool: FrozenTool | undefined, args: Json): Json {
  if (tool?.keyArgument === undefined || !isObject(args)) return args;
  const { [tool.keyArgument]: _ours, ...rest } = args as JsonObject;
  return rest;
}

export interface DecideParts {
  readonly store: Store;
  readonly tickets: Tickets;
  readonly reader: RunReader;
  readonly hash: (text: string) => string;
  /** Problems of arguments against the tool's schema. */
  readonly check: (tool: FrozenTool, args: Json) => readonly string[];
}

/** @throws ErrandError `approval-unknown`, `approval-over`, `input-invalid`, `option-invalid`, `run-unknown` */
export async function decide(
  { store, tickets, reader, hash, check }: DecideParts,
  id: string,
  kind: Approval["kind"],
  given: Denial & Consent,
): Promise<void> {
  checkOptionNames(`approval: ${kind}`, given, WORDS[kind]);
  const [run = "", nonce = ""] = typeof id === "string" ? id.split("/") : [];
  if (nonce === "")
    throw new ErrandError("approval-unknown", `approval: expected an id such as <run>/<…>, got ${JSON.stringify(id)}.`);
  for (const [what, text, most] of [["by", given.by, 200] as const, ["message", given.message, 1_000] as const])
    if (text !== undefined && (typeof text !== "string" || text.length > most))
      throw new ErrandError("option-invalid", `approval: ${what}: expected a text of at most ${most} characters.`);
  const { state } = await reader.read(run);
  const asked = Object.values(state.approvals).find((it) => it.id === nonce);
  const call = asked && callOf(state, asked);
  if (asked === undefined || call === undefined)
    throw new ErrandError(
      "approval-unknown",
      `run ${run} waits for no approval ${JSON.stringify(nonce.slice(0, 50))}.`,
    );
  const outcome: Approval = {
    kind,
    argsHash: asked.argsHash,
    ...edited(state, call, given.args, { hash, check }),
    ...(given.by !== undefined && { by: given.by }),
    ...(given.message !== undefined && { message: given.message }),
  };
  const { tool } = asked;
  const evidence: Omit<Evidence, "at"> = {
    nonce: approvalNonce(nonce),
    call: call.id,
    tool,
    argsHash: asked.argsHash,
    outcome,
    tookMs: 0,
  };
  const text = JSON.stringify(evidence);
  const [answer, what, ...made] = await store.run(DECIDE, run, nonce, call.id, text, approvalGate(run));
  await tickets.add(decodeTickets(answer === "ok" ? made : []));
  if (answer === "ok") return;
  if (answer === "was") {
    const was = decodeEvidence(String(what)).outcome;
    // The same word again, from a click too many, changes nothing.
    if (was.kind === kind && canonical(was) === canonical(outcome)) return;
    throw new ErrandError(
      "approval-over",
      `${tool} (call ${call.id} of run ${run}) was decided before: ${saidOf(was)}.`,
    );
  }
  throw new ErrandError(
    "approval-over",
    `${tool} (call ${call.id} of run ${run}) can be decided no more: ${await whyOver(reader, run, asked)}.`,
  );
}

/** Whose word it was, for who comes second. */
function saidOf(was: Evidence["outcome"]): string {
  if (was.kind !== "approved" && was.kind !== "denied") return was.kind;
  const edited = was.kind === "approved" && was.args !== undefined ? " with other arguments" : "";
  const by = was.by === undefined ? "" : ` by ${JSON.stringify(was.by)}`;
  return was.lapsed === true ? "nobody approved it in time" : `${was.kind}${edited}${by}`;
}

async function whyOver(reader: RunReader, run: string, asked: ApprovalAsked): Promise<string> {
  const { state, status } = await reader.read(run);
  if (state.ended !== undefined) return `its run is ${status}`;
  return state.approvals[asked.call]?.id === asked.id
    ? `its time was over at ${new Date(asked.until).toISOString()}`
    : "its time was over, and it was asked for again: errand approvals";
}

/** @throws ErrandError `input-invalid`: an approver's arguments are held to the tool's schema as a model's are */
function edited(
  state: RunState,
  call: RunnableCall,
  given: Consent["args"],
  { hash, check }: Pick<DecideParts, "hash" | "check">,
): Pick<Approval, "args" | "argsHash"> | undefined {
  if (given === undefined) return undefined;
  const tool = toolOf(state, call);
  if (!isObject(given) || tool === undefined)
    throw new ErrandError("input-invalid", `approval: args: expected the arguments of ${call.name} as an object.`);
  const args = toJson(given);
  const problems = check(tool, args);
  if (problems.length > 0)
    throw new ErrandError("input-invalid", `approval: args of ${call.name}: ${problems.slice(0, 5).join("; ")}`);
  return { args, argsHash: hash(canonical(args)) };
}
