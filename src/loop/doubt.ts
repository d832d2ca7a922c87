/** A call that may have been executed and has no result: look with a reading tool, or ask a person. */
import type { Agent } from "../core/agent.ts";
import { reviewGate } from "../core/gate.ts";
import type { Looked, RunnableCall } from "../core/journal.ts";
import { canonical, toJson } from "../core/json.ts";
import type { Step } from "../core/next.ts";
import { answerNonce } from "../core/outcome.ts";
import { type CallInDoubt, callKey, useOf, type Verify } from "../core/tool-use.ts";
import type { Left, LoopPorts } from "./loop.ts";
import type { HeldRun } from "./held.ts";
import { end } from "./leave.ts";

type Of<D extends Step["do"]> = Extract<Step, { do: D }>;

/** The app's own code says how to look. If it is gone or throws, nobody can look: that is said, and ends no run. */
export async function planLook(step: Of<"plan-look">, held: HeldRun, agent: Agent, ports: LoopPorts): Promise<Left> {
  const { call, intent, attempt } = step;
  const look = lookFor(call, `${call.id}v${attempt - 1}`, held, agent, ports);
  if (typeof look === "string") note(held, step, "unsure", look);
  else held.note({ kind: "look-planned", call: call.id, intent, look });
  return undefined;
}

/** @returns why there can be no look, or the look */
function lookFor(call: RunnableCall, id: string, held: HeldRun, agent: Agent, ports: LoopPorts): RunnableCall | string {
  const verify = verifyOf(call, agent, held);
  const tool = held.state.context?.tools.find(({ name }) => name === verify?.tool);
  if (verify === undefined || tool?.effect !== "read") return "the agent has no reading tool to look with any more";
  try {
    const args = toJson(verify.args(doubtOf(call, held, ports)));
    const problems = ports.toolbox.check(tool, args);
    if (problems.length > 0)
      return `the arguments of the look do not fit ${tool.name}: ${problems.slice(0, 3).join("; ")}`;
    const argsHash = ports.hash(canonical(args));
    const { name, connection } = tool;
    return { id, name, providerId: "", verdict: "run", args, argsHash, effect: "read", connection };
  } catch (error) {
    return `verify.args threw ${error instanceof Error ? error.name : "something that is no Error"}`;
  }
}

export async function conclude(step: Of<"conclude">, held: HeldRun, agent: Agent, ports: LoopPorts): Promise<Left> {
  const outcome = step.evidence?.outcome;
  const verify = verifyOf(step.call, agent, held);
  if (verify === undefined || (outcome?.kind !== "ok" && outcome?.kind !== "error")) {
    note(held, step, "unsure", "the look could not be made");
    return undefined;
  }
  const answer =
    outcome.kind === "ok"
      ? ({ ok: true, data: outcome.data } as const)
      : ({ ok: false, type: outcome.type, message: outcome.message } as const);
  try {
    const happened = verify.happened(answer, doubtOf(step.call, held, ports));
    if (happened === undefined) note(held, step, "unsure", "the look does not tell");
    else note(held, step, happened ? "happened" : "not-executed");
  } catch (error) {
    note(
      held,
      step,
      "unsure",
      `verify.happened threw ${error instanceof Error ? error.name : "something that is no Error"}`,
    );
  }
  return undefined;
}

function note(
  held: HeldRun,
  { call, intent }: { call: RunnableCall; intent: string },
  says: Looked["says"],
  message?: string,
): void {
  held.note({ kind: "looked", call: call.id, intent, says, ...(message !== undefined && { message }) });
}

function verifyOf({ name }: RunnableCall, agent: Agent, held: HeldRun): Verify | undefined {
  const source = held.state.context?.tools.find((tool) => tool.name === name)?.source;
  return useOf(agent.tools, { name, source })?.verify;
}

function doubtOf({ id, name, args }: RunnableCall, held: HeldRun, ports: LoopPorts): CallInDoubt {
  return { identifier: held.state.created.identifier, tool: name, args, key: callKey(ports.hash, held.id, id, name) };
}

/** Until somebody answers, or the run expires. An answer that came since the run was taken is read by taking it again. */
export async function ask({ call, intent, since }: Of<"ask">, held: HeldRun): Promise<Left> {
  const until = since + (held.state.context?.expiresAfterMs ?? 0);
  if (held.now() >= until)
    return end(held, {
      kind: "ended",
      status: "expired",
      message: `Nobody said in time whether call ${call} was executed.`,
    });
  held.note({ kind: "parked", reason: "review", about: call });
  const gate = reviewGate(held.id);
  if (await held.flush({ to: "gate", gate, version: 0, unless: answerNonce(intent), until })) return "parked";
  held.note({ kind: "yielded" });
  await held.flush({ to: "line" });
  return "yielded";
}
