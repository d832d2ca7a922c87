/** The plan for a call: what stands in the journal before anything is sent. */
import type { Effect } from "./effects.ts";
import type { Json } from "./json.ts";
import type { ApprovalPolicy } from "./needs-approval.ts";

/** One call of a committed answer, with our id and the verdict on it. */
export type PlannedCall = {
  /** `t3c0`: turn and index. Short and plain, because it travels as the provider's call id. */
  readonly id: string;
  readonly name: string;
  readonly providerId: string;
} & (
  | {
      readonly verdict: "run";
      /** As they are sent: with our key, if the tool takes one. */
      readonly args: Json;
      /** Of the arguments as the model gave them. */
      readonly argsHash: string;
      readonly effect: Effect;
      readonly connection: string;
      /** Why it needs a person's word before it is made. */
      readonly approval?: ApprovalPolicy;
      /** Its arguments are the approver's: our key is not among them yet. Never in a plan. */
      readonly edited?: true;
    }
  /** Not made; `answer` is what the model is told. */
  | { readonly verdict: "reject"; readonly answer: Json; readonly argsHash?: string }
);

export type RunnableCall = Extract<PlannedCall, { verdict: "run" }>;
