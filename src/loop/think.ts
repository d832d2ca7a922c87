/** One turn: ask the model, judge the answer, note it as committed. */
import type { Agent } from "../core/agent.ts";
import { answerJson, judge, type Judgement } from "../core/judge.ts";
import { type Json, type JsonObject, toJson } from "../core/json.ts";
import type { ModelAnswer, ModelFailure } from "../core/messages.ts";
import type { Step } from "../core/next.ts";
import { project } from "../core/project.ts";
import type { FrozenTool, RunContext } from "../core/run.ts";
import { callKey } from "../core/tool-use.ts";
import { validate, type Validated } from "../core/schema.ts";
import { afterLimit, afterModelFailure } from "../core/waiting.ts";
import type { Left, LoopPorts } from "./loop.ts";
import { type HeldRun, LeaseLost } from "./held.ts";
import { end, endByAgentError, parkOrEnd } from "./leave.ts";

type Think = Extract<Step, { do: "think" }>;

export async function think(step: Think, held: HeldRun, agent: Agent, ports: LoopPorts): Promise<Left> {
  const { context } = held.state;
  if (context === undefined) throw new Error(`run ${held.id}: asked to think before it was prepared`);
  const waitMs = (await ports.rates?.take(context.profile, ports.chance.nonce())) ?? 0;
  if (waitMs > 0) return parkOrEnd(held, afterLimit(step.turn, waitMs, ports.chance.random()));
  const request = project(held.state, context, step.shown, step.final);
  held.note({ kind: "turn-requested", turn: step.turn, attempt: step.attempt, final: step.final, shown: step.shown });
  await held.flush();
  held.assertLease();
  const reply = await ports.model.respond(request, { timeoutMs: context.limits.modelTimeoutMs, signal: held.stop });
  if (held.signal.aborted) throw new LeaseLost("aborted during a model call");
  if (held.stop.aborted) return undefined;
  if (reply.kind === "failure") return failed(step, held, ports, reply);

  let judgement: Judgement;
  try {
    judgement = await judged(reply, step, context, held, agent, ports);
  } catch (error) {
    return endByAgentError(held, agent, "output schema or key function", error);
  }
  if (judgement.leadsTo === "discard") return discarded(step, held, ports, judgement);
  const { verbatim, text, finish, usage, costUsd, servedModel, requestId, tookMs } = reply;
  const cost = costUsd === undefined ? {} : { costUsd };
  held.note({
    kind: "turn-committed",
    turn: step.turn,
    verbatim,
    text,
    finish,
    usage,
    ...cost,
    servedModel,
    requestId,
    tookMs,
    ...judgement,
  });
  return undefined;
}

async function judged(
  answer: ModelAnswer,
  step: Think,
  context: RunContext,
  held: HeldRun,
  agent: Agent,
  ports: LoopPorts,
): Promise<Judgement> {
  const mayFinish = answer.calls.length === 0 || step.final;
  const output =
    mayFinish && agent.output !== undefined && answer.text.trim() !== ""
      ? await validOutput(agent, answer.text)
      : undefined;
  const { turns } = held.state;
  return judge(answer, {
    turn: step.turn,
    final: step.final,
    context,
    callsMade: turns.flatMap((t) => t.plan).filter((call) => call.verdict === "run").length,
    repairs: turns.filter((t) => t.leadsTo === "again").length,
    check: (tool, args) => ports.toolbox.check(tool, args),
    hash: ports.hash,
    withKey: (tool, args, call) => withKey(held.id, tool, args, call, agent, ports),
    ...(output !== undefined && { output }),
  });
}

function withKey(run: string, tool: FrozenTool, args: Json, call: string, agent: Agent, ports: LoopPorts): Json {
  const key = callKey(ports.hash, run, call, tool.name);
  if (tool.keyArgument !== undefined) return { ...(args as JsonObject), [tool.keyArgument]: key };
  const use = agent.tools.find(({ name }) => name === tool.name);
  return typeof use?.key === "function" ? toJson(use.key(args, key)) : args;
}

async function validOutput(agent: Agent, text: string): Promise<Validated<Json>> {
  const parsed = answerJson(text);
  if (!parsed.ok) return { ok: false, issues: [parsed.problem] };
  if (agent.output === undefined) return { ok: true, value: toJson(parsed.value) };
  const result = await validate(agent.output, parsed.value);
  return result.ok ? { ok: true, value: toJson(result.value) } : result;
}

function failed(step: Think, held: HeldRun, ports: LoopPorts, failure: ModelFailure): Promise<Left> {
  const attempts = held.state.context?.limits.attempts ?? 1;
  return parkOrEnd(held, afterModelFailure(held.state, step.turn, failure, attempts, ports.chance.random()));
}

/** An answer that is no answer counts as a failed attempt; when those are used up, the run ends with the answer's own fault. */
function discarded(
  step: Think,
  held: HeldRun,
  ports: LoopPorts,
  { code, message }: Extract<Judgement, { leadsTo: "discard" }>,
): Promise<Left> {
  const attempts = held.state.context?.limits.attempts ?? 1;
  const after = afterModelFailure(
    held.state,
    step.turn,
    { kind: "failure", class: "retry", message },
    attempts,
    ports.chance.random(),
  );
  if (after.do === "end") return end(held, { ...after.end, code });
  return parkOrEnd(held, after);
}
