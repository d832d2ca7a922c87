/** A call that may have been executed and has no result: who can find out, and what is done when nobody can. */
import type { RunnableCall, Unknown } from "./journal.ts";
import type { RunState } from "./state.ts";
import { answerNonce } from "./outcome.ts";

export type Doubtful =
  /** A look or a person says that it was executed; its result is lost. */
  | { readonly is: "happened" }
  /** A look is to be planned. */
  | { readonly is: "unlooked"; readonly intent: string; readonly attempt: number }
  /** A look is planned; the look is a call, and stands somewhere itself. */
  | { readonly is: "looking"; readonly intent: string; readonly look: RunnableCall }
  /** Nobody can know, and that is not written down yet. */
  | { readonly is: "unrecorded"; readonly intent: string }
  /** Nobody can know: told to the model, and not repeated. */
  | { readonly is: "unknown" }
  /** Nobody can know, and a person is asked. `since`: Redis ms. */
  | { readonly is: "asking"; readonly intent: string; readonly since: number }
  /** Nobody can know, and that ends the run. */
  | { readonly is: "fatal" }
  /** A person stopped the run here. */
  | { readonly is: "stopped" };

/** `open`: said to be not executed, so it may be made again. */
export type InDoubt = Doubtful | { readonly is: "open"; readonly attempt: number };

export interface Attempt {
  readonly intent: string;
  /** The number of the next one. */
  readonly attempt: number;
  /** Nothing more is tried for a call that has used up its attempts. */
  readonly mayLook: boolean;
}

export function inDoubt(state: RunState, call: RunnableCall, { intent, attempt, mayLook }: Attempt): InDoubt {
  switch (saidOf(state, intent)) {
    case "happened":
      return { is: "happened" };
    case "stop":
      return { is: "stopped" };
    case "not-executed":
      if (mayLook || answered(state, intent) !== undefined) return { is: "open", attempt };
      break;
    case "unsure":
    case undefined:
      break;
  }
  if (call.effect === "read") return { is: "unknown" };
  const { onUnknown = "tell" } = state.context?.tools.find((tool) => tool.name === call.name) ?? {};
  const looks = call.effect === "staged" || call.effect === "verifiable" || onUnknown === "verify";
  if (looks && mayLook && state.looked[intent] === undefined) {
    const planned = state.looks[intent];
    return planned === undefined ? { is: "unlooked", intent, attempt } : { is: "looking", intent, look: planned.look };
  }
  const recorded = state.unknowns[intent];
  if (recorded === undefined) return { is: "unrecorded", intent };
  switch (onUnknown) {
    case "tell":
    case "verify":
      return { is: "unknown" };
    case "ask":
      return { is: "asking", intent, since: recorded.at };
    case "fail":
      return { is: "fatal" };
  }
}

/** A person's word counts more than a look's. */
export function saidOf(state: RunState, intent: string): "happened" | "not-executed" | "stop" | "unsure" | undefined {
  return answered(state, intent) ?? state.looked[intent]?.says;
}

function answered(state: RunState, intent: string): "happened" | "not-executed" | "stop" | undefined {
  const outcome = state.evidence[answerNonce(intent)]?.outcome;
  return outcome?.kind === "answered" ? outcome.says : undefined;
}

/** An outcome on the list of unknown ones that no person has answered and that no late result has settled. */
export function isUnanswered(state: RunState, { call, intent }: Unknown): boolean {
  if (answered(state, intent) !== undefined) return false;
  return !(state.claims[call] ?? []).some(({ intent: made }) => {
    const kind = state.evidence[made]?.outcome.kind;
    return kind === "ok" || kind === "error" || (made === intent && kind === "not-executed");
  });
}
