/** What a Responses endpoint is and can do; checked once, where it is written down. */
import { checkEndpoint, type Endpoint, FEATURES, type Features, refuse, type Values } from "./profile.ts";

/** Without `tool_choice`, or its value `none`, the last turn is asked for with no tools at all. */
export interface ResponsesFeatures extends Features {
  /** Where the agent's instructions stand: in the field `instructions` (default), or in a first message of this role. */
  readonly instructions?: "field" | "developer" | "system";
  /**
   * Asks for the model's reasoning in an encrypted form, to be given back in the next turn; default true. Models that do not reason
   * answer 400 "Encrypted content is not supported with this model": false for them.
   */
  readonly encryptedReasoning?: boolean;
  /**
   * Answers are stored at the provider (`store: true`, 30 days at OpenAI), and a request begins behind the last one with
   * `previous_response_id` where that is certain to mean the same as sending all; default false. What the provider has no more is sent
   * again, in the same call.
   */
  readonly previousResponseId?: boolean;
  /**
   * Turns are answered in the background (`background: true`, `store: true`): the provider names the answer at once and is asked for it
   * until it is there. The name is in the journal before that, so another worker goes on waiting where one died. Default false. Such
   * answers are not streamed.
   */
  readonly background?: boolean;
}

/**
 * One endpoint that speaks OpenAI's Responses protocol. By default nothing is kept there: each request holds the whole transcript, with
 * the provider's own items as they came.
 */
export interface ResponsesProfile extends Endpoint {
  readonly protocol: "responses";
  readonly features?: ResponsesFeatures;
}

const OURS = [
  "model",
  "input",
  "instructions",
  "tools",
  "tool_choice",
  "stream",
  "background",
  "previous_response_id",
  "conversation",
  "max_output_tokens",
];

/** OpenAI refuses less. */
const LEAST_TOKENS = 16;

const KNOWN: Readonly<Record<keyof ResponsesFeatures, Values>> = {
  ...FEATURES,
  instructions: ["field", "developer", "system"],
  encryptedReasoning: "boolean",
  previousResponseId: "boolean",
  background: "boolean",
};

/** @throws ErrandError `option-invalid`, never with a key or header value in it */
export function checkResponsesProfile(profile: ResponsesProfile): void {
  checkEndpoint(profile, { ours: OURS, features: KNOWN, leastTokens: LEAST_TOKENS });
  const needing = (["previousResponseId", "background"] as const).find((name) => profile.features?.[name] === true);
  if (needing !== undefined && profile.extraBody?.["store"] === false)
    refuse(
      `extraBody: "store" is false, and features.${needing} needs what the provider stores. Leave one of them out.`,
    );
}
