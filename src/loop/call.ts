/** Tool calls: intent, then one single-shot send within the lease, then evidence (DESIGN §4). */
import type { Agent } from "../core/agent.ts";
import { pendingSubs, standing } from "../core/calls.ts";
import { isBegun } from "../core/day-counts.ts";
import { accountGate } from "../core/gate.ts";
import { isObject, type Json, toJson } from "../core/json.ts";
import { isLarge, noteOf } from "../core/large.ts";
import type { CallClaimed, RunnableCall } from "../core/journal.ts";
import type { CallStep } from "../core/next.ts";
import type { BlobNote, Outcome } from "../core/outcome.ts";
import { isReadResult, readResult } from "../core/read-result.ts";
import type { FrozenTool } from "../core/run.ts";
import { callKey } from "../core/tool-use.ts";
import type { Ask, CallBound, DayBudget } from "../ports/asking.ts";
import type { ToolSend } from "../ports/toolbox.ts";
import type { Left, LoopPorts } from "./loop.ts";
import { type Asked, Cooled, type HeldRun, NoRoom, type Stopped } from "./held.ts";
import { withKey } from "./key.ts";
import { coolKeysOf, coolTool } from "./cool.ts";
import { budgetsOfCalls } from "./days.ts";
import { isStopped } from "./leave.ts";
import { openHost } from "./nested.ts";
import { usedUpForCalls } from "./over.ts";

/** Time for evidence to arrive after the send timed out. */
const GRACE_MS = 5_000;

export async function makeCalls(
  steps: readonly CallStep[],
  held: HeldRun,
  agent: Agent,
  ports: LoopPorts,
): Promise<Left> {
  const { context } = held.state;
  if (context === undefined) throw new Error(`run ${held.id}: asked to make calls before it was prepared`);
  const { fit, calls } = boundsOf(steps, held, ports);
  const intents = intentsOf(fit, ports);
  const budgets = budgetsOfCalls(held.state, ports, held.now());
  const begins = fit.filter(({ call }) => !isBegun(held.state, call.id)).length;
  const day =
    budgets.length === 0 ? {} : { begins, reserve: { tokens: 0, nano: 0, budgets: roomFor(begins, budgets) } };
  const asked = await askFor(intents, { calls, ...day }, held, ports);
  if (asked.is === "ok") {
    await makeAll(intents, held, agent, ports);
    return undefined;
  }
  const { budget, met } = asked.is === "short" ? asked : {};
  if (budget === undefined || met === undefined) return "parked";
  // For some of them there may be room.
  if (met === "toolCalls" && fit.length > 1) return makeCalls(fit.slice(0, 1), held, agent, ports);
  return usedUpForCalls({ held, ports, context }, intents[0]?.call.id ?? "", budgets, { budget, met });
}

/** Another attempt is no other call. */
function roomFor(begins: number, budgets: readonly DayBudget[]): readonly DayBudget[] {
  if (begins > 0) return budgets;
  return budgets.map(({ counts: { toolCalls: _any, ...counts } = {}, ...budget }) => ({ ...budget, counts }));
}

/** Of a tool that is under way: it cannot park here. @throws Cooled, NoRoom */
async function makeNested(step: CallStep, held: HeldRun, agent: Agent, ports: LoopPorts): Promise<void> {
  const intents = intentsOf([step], ports);
  const { calls } = boundsOf([step], held, ports);
  const asked = await askFor(intents, { calls, stays: true }, held, ports);
  if (asked.is === "closed") throw new Cooled(asked);
  if (asked.is !== "ok") throw new NoRoom();
  await makeAll(intents, held, agent, ports);
}

function askFor(
  intents: readonly Intent[],
  bounds: Partial<Pick<Ask, "calls" | "stays" | "begins" | "reserve">>,
  held: HeldRun,
  ports: LoopPorts,
): Promise<Asked> {
  // A tool that runs again meets what the calls meet that it has yet to make.
  const all = intents.flatMap(({ call }) => [call, ...openSubs(call, held)]);
  return held.ask(claims(intents, held), {
    about: intents[0]?.call.id ?? "",
    cool: [...new Set(all.flatMap((call) => coolKeysOf(held.state.created.identifier, call)))],
    random: ports.chance.random(),
    waited: held.state.parks.at(-1)?.reason === "rate-limit",
    ...bounds,
  });
}

/** How many of its user's calls these are, and which of them a minute has room for at all: the others are made after them. */
function boundsOf(
  steps: readonly CallStep[],
  held: HeldRun,
  ports: LoopPorts,
): { readonly fit: readonly CallStep[]; readonly calls: readonly CallBound[] } {
  const bounds = new Map<string, CallBound>();
  const add = (call: RunnableCall, calls: number): boolean => {
    const rate = ports.allowance?.calls(call.connection, toolOf(held, call)?.source);
    if (rate === undefined) return true;
    const key = accountGate(held.state.created.identifier, rate.name);
    const before = bounds.get(key)?.calls ?? 0;
    if (before + calls > rate.most) return false;
    bounds.set(key, { key, most: rate.most, calls: before + calls });
    return true;
  };
  const fit = steps.filter(({ call }) => add(call, 1));
  for (const { call } of fit) for (const sub of openSubs(call, held)) add(sub, 0);
  return { fit, calls: [...bounds.values()] };
}

/** Calls that a tool has planned, and that were not made when it was stopped. */
function openSubs(call: RunnableCall, held: HeldRun): readonly RunnableCall[] {
  const attempts = held.state.context?.limits.attempts ?? 1;
  const now = held.now();
  return pendingSubs(held.state, call, now).filter((sub) => standing(held.state, sub, attempts, now).is === "open");
}

/** @throws Stopped when an operator stopped a call that one of them would have made; all are settled then */
async function makeAll(intents: readonly Intent[], held: HeldRun, agent: Agent, ports: LoopPorts): Promise<void> {
  const stops = await Promise.all(intents.map((step) => makeCall(step, held, agent, ports)));
  const stopped = stops.find((it) => it !== undefined);
  if (stopped !== undefined) throw stopped;
}

type Intent = CallStep & { readonly intent: string };

function intentsOf(steps: readonly CallStep[], ports: LoopPorts): readonly Intent[] {
  return steps.map((step) => ({ intent: ports.chance.nonce(), ...step }));
}

function claims(intents: readonly Intent[], held: HeldRun): readonly CallClaimed[] {
  return intents.map(({ call, attempt, intent }) => ({
    kind: "call-claimed",
    call: call.id,
    attempt,
    intent,
    tool: call.name,
    argsHash: call.argsHash,
    windowMs: windowMs(held, timeoutOf(held, call)),
  }));
}

/** From the intent's commit: the last moment it may be sent, the call itself, and grace. */
function windowMs(held: HeldRun, timeoutMs: number): number {
  return held.leaseMs + timeoutMs + GRACE_MS;
}

function toolOf(held: HeldRun, call: RunnableCall): FrozenTool | undefined {
  return held.state.context?.tools.find(({ name }) => name === call.name);
}

function timeoutOf(held: HeldRun, call: RunnableCall): number {
  return toolOf(held, call)?.timeoutMs ?? held.state.context?.limits.toolTimeoutMs ?? 0;
}

async function makeCall(
  { call, intent }: Intent,
  held: HeldRun,
  agent: Agent,
  ports: LoopPorts,
): Promise<Stopped | undefined> {
  // Stopped between intent and send: the aborted signal keeps it from being sent, and the evidence says so.
  if (!isStopped(held)) held.assertLease();
  const started = ports.clock.monotonic();
  // A cancelled run gives up its reads; any other call is let finish, so that the journal knows what it did.
  const signal = call.effect === "read" ? held.stop : held.signal;
  const args = argsOf(call, held, agent, ports);
  const host = openHost(call, held, agent, ports, (step) => makeNested(step, held, agent, ports));
  const sent = isReadResult(held.state.context, call.name)
    ? await readRest(args, held)
    : await ports.toolbox.send(sendOf(call, args, held, ports), {
        timeoutMs: timeoutOf(held, call),
        signal,
        host,
      });
  const outcome = stillAsked(await host.close(sent), earlierRef(call, held));
  const tookMs = Math.round(ports.clock.monotonic() - started);
  // Even if the lease was lost meanwhile: what happened is evidence, and accepted from any epoch.
  await held.addEvidence({
    nonce: intent,
    call: call.id,
    tool: call.name,
    argsHash: call.argsHash,
    outcome: await fitting(outcome, intent, held),
    tookMs,
  });
  // What happened is written; that others are not told in time costs them a refusal of their own.
  await coolTool(call, outcome, held, ports).catch(() => undefined);
  return host.paused();
}

/** What an approver wrote has no key of ours yet. */
function argsOf(call: RunnableCall, held: HeldRun, agent: Agent, ports: LoopPorts): Json {
  const tool = toolOf(held, call);
  return call.edited === true && tool !== undefined
    ? withKey(held.id, tool, call.args, call.id, agent, ports)
    : call.args;
}

/** More of a result of this run, from the journal or from beside it. */
async function readRest(args: Json, held: HeldRun): Promise<Outcome> {
  const asked = isObject(args) ? args["call"] : undefined;
  const found = Object.values(held.state.evidence).find((it) => it.call === asked && it.outcome.kind === "ok");
  const blob = found?.outcome.kind === "ok" ? found.outcome.blob : undefined;
  const most = held.state.context?.limits.resultChars ?? 0;
  const whole = found !== undefined && blob?.kept === true ? await held.kept(found.nonce, blob.pieces) : undefined;
  return readResult(args, found, whole, most);
}

/** Who makes it is as the run has frozen it. */
function sendOf(call: RunnableCall, args: Json, held: HeldRun, ports: LoopPorts): ToolSend {
  const { source, version } = toolOf(held, call) ?? {};
  const claims = held.state.claims[call.id] ?? [];
  const startedAt = claims[0]?.at;
  const resume = earlierRef(call, held);
  return {
    run: held.id,
    call: call.id,
    tool: call.name,
    args,
    connection: call.connection,
    identifier: held.state.created.identifier,
    key: callKey(ports.hash, held.id, call.id, call.name),
    ...(source !== undefined && { source }),
    ...(version !== undefined && { version }),
    ...(startedAt !== undefined && { startedAt }),
    ...(resume !== undefined && { resume }),
  };
}

function earlierRef(call: RunnableCall, held: HeldRun): string | undefined {
  const claims = held.state.claims[call.id] ?? [];
  const earlier = claims.map(({ intent }) => held.state.evidence[intent]?.outcome).findLast((it) => it !== undefined);
  return earlier?.kind === "not-executed" ? earlier.ref : undefined;
}

/** What an earlier attempt has begun (an approval that is waited for) is not forgotten because this one found nobody. */
function stillAsked(outcome: Outcome, ref: string | undefined): Outcome {
  return outcome.kind === "not-executed" && outcome.ref === undefined && ref !== undefined
    ? { ...outcome, ref }
    : outcome;
}

/** A large result is put beside the journal before its evidence is written; if that fails, the evidence says so. */
async function fitting(outcome: Outcome, intent: string, held: HeldRun): Promise<Outcome> {
  if (outcome.kind !== "ok") return outcome;
  const data = toJson(outcome.data);
  const text = JSON.stringify(data);
  if (!isLarge(text)) return { ...outcome, data };
  const kept = await held.keep(intent, text);
  const characters = text.length;
  const blob: BlobNote = kept === undefined ? { kept: false, characters } : { kept: true, characters, ...kept };
  return { ...outcome, data: noteOf(text), blob };
}
