/** A model call that is about to be made, and what becomes of making it fit. */
import type { Agent } from "../core/agent.ts";
import type { Amount } from "../core/journal.ts";
import type { ModelFailure, ModelName, ModelRequest } from "../core/messages.ts";
import type { Step } from "../core/next.ts";
import type { RunContext } from "../core/run.ts";
import type { HeldRun } from "./held.ts";
import type { Ending, LoopPorts } from "./loop.ts";

export interface Fitting {
  readonly step: Extract<Step, { do: "think" }>;
  readonly asked: ModelName;
  readonly context: RunContext;
  readonly held: HeldRun;
  readonly agent: Agent;
  readonly ports: LoopPorts;
}

/**
 * `fits`: as noted; `request`, where it was made and nothing has changed since. `stopped`: the run was cancelled meanwhile. `failed`: by the model that was to sum up, or because nothing helps;
 * `spent` is what the last call has used. `left`: the summary was not allowed, and the run has parked or ended.
 */
export type Fitted =
  | { readonly is: "fits"; readonly request?: ModelRequest }
  | { readonly is: "stopped" }
  | { readonly is: "failed"; readonly failure: ModelFailure; readonly spent?: Amount }
  | { readonly is: "left"; readonly ending: Ending };
