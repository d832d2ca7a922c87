/**
 * Calls that a tool of the app's own makes while it runs. Each has its own place in the journal: planned, claimed, evidence.
 *
 * T1 An equal call of the same tool run is made once, however often the tool runs again: what it left is its answer.
 * T2 A tool that runs again and asks for something else than before, where that may repeat what was done, is refused.
 * T3 A call that has to wait stops its tool; `next` waits for it, and then the tool runs again. A tool that cannot be run again is
 *    told instead.
 * T4 A cool-down of a moment is waited for inside the tool; a longer one, and a limit of the run, stop it as in T3.
 * T5 Whatever failed five times in a row with the same arguments and the same error is not sent a sixth time.
 * T6 Once stopped, or when its own call is over, a tool sends nothing more.
 */
import type { Agent } from "../core/agent.ts";
import { approvedCall } from "../core/approval.ts";
import { isComposite, standing } from "../core/calls.ts";
import { isRepeatable } from "../core/effects.ts";
import type { RunnableCall } from "../core/journal.ts";
import { canonical, type Json, toJson } from "../core/json.ts";
import { type CallStep, waitsBelow } from "../core/next.ts";
import { isStuck } from "../core/loops.ts";
import type { Outcome } from "../core/outcome.ts";
import type { FrozenTool } from "../core/run.ts";
import { limitOfCalls } from "../core/at-limit.ts";
import { limitsOf } from "../core/own-limits.ts";
import type { SubAnswer, SubCall, ToolHost } from "../ports/toolbox.ts";
import { approvalFor } from "./approve.ts";
import { Cooled, type HeldRun, NoRoom, NotSent, Stopped } from "./held.ts";
import { withKey } from "./key.ts";
import { answerOf, failure, unknownTool, whyWaits } from "./sub-answer.ts";
import type { LoopPorts } from "./loop.ts";
import { afterOthers, turnstile } from "./turnstile.ts";

export interface Host extends ToolHost {
  /** What stopped one of its calls, so that it was suspended. */
  paused(): Stopped | undefined;
  /**
   * The tool has answered: nothing more is sent, and what is under way is waited for. @returns its outcome, or that it was suspended
   * @throws what made it impossible to go on: the lease, the store
   */
  close(outcome: Outcome): Promise<Outcome>;
}

/** Of one tool call. */
const MOST_SUBS = 500;
/** ms of one wait inside a tool, and of all of them while it runs: it holds a slot meanwhile. */
const SHORT_MS = 2_000;
const PATIENCE_MS = 10_000;
const SUSPENDED: SubAnswer = { ok: false, suspended: true };

/** Makes one call, as one of a turn's is made. @throws NotSent, Stopped, Cooled, LeaseLost */
type Make = (step: CallStep) => Promise<unknown>;

export function openHost(parent: RunnableCall, held: HeldRun, agent: Agent, ports: LoopPorts, make: Make): Host {
  const composite = isComposite(held.state, parent);
  /** Calls that this time were asked for. */
  const asked = new Set<string>();
  const under = new Set<Promise<SubAnswer>>();
  const writes = turnstile(1);
  const reads = turnstile(held.state.context?.limits.parallel ?? 1);
  let over: "suspended" | "closed" | undefined;
  let paused: Stopped | undefined;
  let patience = PATIENCE_MS;
  let broken: { readonly error: unknown } | undefined;

  const planned = (): RunnableCall[] => (held.state.subs[parent.id] ?? []).map(({ call }) => call);

  /** The call that this one is, or is planned to be; or why there is none. */
  const find = async (request: SubCall): Promise<RunnableCall | SubAnswer> => {
    const { context } = held.state;
    const tool = context?.tools.find(({ name }) => name === request.tool);
    if (tool === undefined) return unknownTool(request.tool, context?.tools ?? []);
    if (parent.effect === "read" && tool.effect !== "read")
      return failure(
        "NotAllowed",
        `${parent.name} only reads, so it cannot call ${tool.name}, which is ${tool.effect}.`,
      );
    const account = held.state.prepared?.accounts[tool.connection];
    if (request.account !== undefined && request.account !== account)
      return failure(
        "NotAllowed",
        `${tool.name}: the account is not the one that this run has for ${tool.connection}.`,
      );
    const args = toJson(request.args ?? {});
    const problems = ports.toolbox.check(tool, args);
    if (problems.length > 0) return failure("InvalidArguments", `${tool.name}: ${problems.slice(0, 10).join("; ")}`);
    const argsHash = ports.hash(canonical(args));
    const same = (): RunnableCall | undefined => equal(request, argsHash);
    let found = same();
    if (found === undefined && left(tool)) {
      // Others may be asked for in the same moment, in another order than before: they take what is theirs first.
      await afterOthers();
      found = same();
      if (found === undefined && left(tool))
        return failure(
          "NotRepeatable",
          `${parent.name} runs again and calls ${tool.name} otherwise than before (${planned()
            .filter((call) => call.name === tool.name && !asked.has(call.id))
            .map(({ id }) => id)
            .join(
              ", ",
            )}). It was not called: that could repeat what was done. Give the call a \`name\`, or take time and ids from ctx.utils.`,
        );
    }
    const isEqual = (call: RunnableCall): boolean => call.name === tool.name && call.argsHash === argsHash;
    if (found === undefined && tool.polling !== true && isStuck(held.state, planned().filter(isEqual)))
      return failure(
        "RepeatedCalls",
        `${parent.name} made this call of ${tool.name} again and again, and it failed with the same error each time. It is not made once more.`,
      );
    if (found === undefined && planned().length >= MOST_SUBS)
      return failure("TooManyCalls", `${parent.name} made ${MOST_SUBS} calls; no more are made.`);
    const most = limitsOf(held.state)?.nestedCalls ?? 0;
    if (found === undefined && Object.values(held.state.subs).reduce((sum, subs) => sum + subs.length, 0) >= most)
      return failure("TooManyCalls", `The run's tools made ${most} calls by themselves; no more are made.`);
    const call = found ?? (await plan(tool, args, argsHash, request.name));
    asked.add(call.id);
    return call;
  };

  const equal = ({ tool, name }: SubCall, argsHash: string): RunnableCall | undefined =>
    (held.state.subs[parent.id] ?? []).find(
      (sub) =>
        !asked.has(sub.call.id) &&
        sub.call.name === tool &&
        (name === undefined ? sub.name === undefined && sub.call.argsHash === argsHash : sub.name === name),
    )?.call;

  /** A call of this tool that may have been executed, that must not be repeated, and that nothing has asked for this time. */
  const left = ({ name }: FrozenTool): boolean =>
    planned().some(
      (call) =>
        call.name === name &&
        !asked.has(call.id) &&
        !isRepeatable(call.effect) &&
        (held.state.claims[call.id] ?? []).some(
          ({ intent }) => held.state.evidence[intent]?.outcome.kind !== "not-executed",
        ),
    );

  const plan = async (
    tool: FrozenTool,
    args: Json,
    argsHash: string,
    name: string | undefined,
  ): Promise<RunnableCall> => {
    const before = held.state.turns.flatMap((turn) => turn.plan);
    const approval = await approvalFor({ name: tool.name, args, effect: tool.effect }, before, held, agent, ports);
    // Numbered without a pause between: others are planned at the same time.
    const id = `${parent.id}n${planned().length}`;
    const sent = withKey(held.id, tool, args, id, agent, ports);
    const { effect, connection } = tool;
    const call: RunnableCall = {
      id,
      name: tool.name,
      providerId: "",
      verdict: "run",
      args: sent,
      argsHash,
      effect,
      connection,
      ...(approval !== undefined && { approval }),
    };
    held.note({ kind: "sub-planned", parent: parent.id, call, ...(name !== undefined && { name }) });
    return call;
  };

  const settle = async (call: RunnableCall): Promise<SubAnswer> => {
    const attempts = held.state.context?.limits.attempts ?? 1;
    for (;;) {
      if (over !== undefined || held.signal.aborted || (composite && held.stop.aborted)) return stop();
      const at = standing(held.state, call, attempts, held.now());
      const answer = await answerOf(call, at, held);
      if (answer !== undefined) return answer;
      if (at.is === "unrecorded") {
        const { id, name, argsHash } = call;
        held.note({ kind: "unknown", call: id, intent: at.intent, tool: name, argsHash });
      } else if (at.is !== "open" || waitsBelow(held.state, call, attempts, held.now()) !== undefined) {
        return composite ? stop() : failure("ToolUnavailable", `${call.name} was not executed: ${whyWaits(at)}`, true);
      } else {
        const limit = limitOfCalls(held.state, held.now());
        if (limit !== undefined && composite) return stop();
        if (limit !== undefined)
          return failure("LimitReached", `${call.name} was not called: the run's limit is met (${limit}).`);
        const halted = await make({ call: approvedCall(held.state, call), attempt: at.attempt }).then(
          () => undefined,
          (error: unknown) => {
            if (error instanceof Stopped || error instanceof Cooled || error instanceof NoRoom) return error;
            if (!(error instanceof NotSent)) throw error;
            return undefined;
          },
        );
        if (halted === undefined || (halted instanceof Cooled && (await waited(halted)))) continue;
        if (!composite) return failure("ToolUnavailable", `${call.name} was not executed: ${halted.message}.`, true);
        // What it waits for stands before the tool itself when it is run again (call.ts).
        if (halted instanceof Stopped) paused ??= halted;
        return stop();
      }
    }
  };

  /** @returns whether it was short enough to be waited for here */
  const waited = async ({ until }: Cooled): Promise<boolean> => {
    const ms = Math.max(1, until - held.now());
    if (ports.sleep === undefined || ms > SHORT_MS || ms > patience) return false;
    patience -= ms;
    await ports.sleep(ms, held.stop);
    return true;
  };

  const stop = (): SubAnswer => {
    over ??= "suspended";
    return SUSPENDED;
  };

  const execute = async (request: SubCall): Promise<SubAnswer> => {
    if (over !== undefined) return SUSPENDED;
    try {
      const call = await find(request);
      if ("ok" in call) return call;
      const gate = call.effect === "read" ? reads : writes;
      return await gate(() => settle(call));
    } catch (error) {
      broken ??= { error };
      return stop();
    }
  };

  return {
    paused: () => paused,
    execute: (request) => {
      const answer = execute(request);
      under.add(answer);
      void answer.finally(() => under.delete(answer));
      return answer;
    },
    accounts: () => ports.accounts.look(held.state.created.identifier, held.state.context?.connections ?? []),
    async close(outcome) {
      const suspended = over === "suspended";
      over ??= "closed";
      await Promise.all(under);
      if (broken !== undefined) throw broken.error;
      if (!suspended) return outcome;
      if (composite)
        return { kind: "not-executed", why: "suspended", message: "one of the calls that it makes has to wait" };
      return outcome.kind === "ok" ? { kind: "unknown", message: "it was stopped in the middle" } : outcome;
    },
  };
}
