/** What a tool is told of a call that it makes by itself. */
import type { CallStanding } from "../core/calls.ts";
import type { RunnableCall } from "../core/journal.ts";
import type { Json } from "../core/json.ts";
import { didYouMean } from "../core/nearest.ts";
import { errorEnvelope, type Evidence, happenedEnvelope, repeatEnvelope } from "../core/outcome.ts";
import type { FrozenTool } from "../core/run.ts";
import type { SubAnswer } from "../ports/toolbox.ts";
import type { HeldRun } from "./held.ts";

export function failure(type: string, message: string, retryable = false): SubAnswer {
  return { ok: false, type, message, retryable };
}

export function unknownTool(asked: string, tools: readonly FrozenTool[]): SubAnswer {
  const names = tools.map(({ name }) => name);
  return failure(
    "UnknownTool",
    `The run has no tool ${JSON.stringify(asked).slice(0, 100)}.${didYouMean(String(asked).slice(0, 100), names)} Name it in \`uses\` of the tool that calls it.`,
  );
}

/** What a call has left; nothing for one that has yet to be made. */
export async function answerOf(call: RunnableCall, at: CallStanding, held: HeldRun): Promise<SubAnswer | undefined> {
  switch (at.is) {
    case "settled":
    case "denied":
      return settled(call, at.evidence, held);
    case "happened":
      return { ok: true, data: happenedEnvelope(call.name) };
    case "repeat": {
      const { type, message } = repeatEnvelope(call.name, at.of).error;
      return failure(type, message);
    }
    case "unknown":
      return failure(
        "OutcomeUnknown",
        `${call.name} (call ${call.id}) was started, but its result was never recorded: it may or may not have taken effect. It is not repeated.`,
      );
    default:
      return undefined;
  }
}

async function settled(call: RunnableCall, { nonce, outcome }: Evidence, held: HeldRun): Promise<SubAnswer> {
  switch (outcome.kind) {
    case "ok": {
      const { data, blob } = outcome;
      if (blob === undefined) return { ok: true, data };
      const text = blob.kept && blob.cut === undefined ? await held.kept(nonce, blob.pieces) : undefined;
      if (text !== undefined) return { ok: true, data: JSON.parse(text) as Json };
      return failure(
        "ResultLost",
        `${call.name} was executed, but its result of ${blob.characters} characters was not kept.`,
      );
    }
    case "denied":
      return failure("ApprovalDenied", `${call.name} was refused: ${outcome.message ?? "no reason was given."}`);
    case "error":
      return failure(outcome.type, outcome.message, outcome.retryable);
    default: {
      const { error } = errorEnvelope("ToolUnavailable", `${call.name} was not executed`);
      const why = outcome.kind === "not-executed" ? `: ${outcome.message}` : "";
      return failure(error.type, error.message + why, true);
    }
  }
}

export function whyWaits(at: CallStanding): string {
  switch (at.is) {
    case "retry":
      return at.message;
    case "blocked":
      return "its account has to be connected again.";
    default:
      return "it has to wait for somebody.";
  }
}
