/** The `Model` port over OpenAI Responses; stateless, if the profile says no other: each request holds all. One question, no retries. */
import type { Model } from "../ports/model.ts";
import { endpointModel, type ModelOptions } from "./exchange.ts";
import { openaiTransport } from "./openai.ts";
import { withoutOutput } from "./output-format.ts";
import { RESPONSES_STREAM } from "./streaming.ts";
import { responsesBackground } from "./background.ts";
import { keptHistory, responseId } from "./responses-kept.ts";
import { responsesAnswer } from "./responses-answer.ts";
import { checkResponsesProfile, type ResponsesProfile } from "./responses-profile.ts";
import { responsesRequest } from "./responses-request.ts";

export type { ResponsesFeatures, ResponsesProfile } from "./responses-profile.ts";

const PATH = "/responses";
const NO_REASONING = "Set features.encryptedReasoning to false in the model's profile.";

const NO_BACKGROUND = "Set features.background to false in the model's profile, if its server does not know it.";

function hint(told: string): string | undefined {
  if (/encrypted content is not supported/i.test(told)) return NO_REASONING;
  return /HTTP 4\d\d.*\bbackground\b/i.test(told) ? NO_BACKGROUND : undefined;
}

/** @throws ErrandError `option-invalid` on a profile that can never work */
export function responsesModel(profile: ResponsesProfile, options: ModelOptions = {}): Model {
  checkResponsesProfile(profile);
  const output = withoutOutput("text");
  const kept = keptHistory(profile);
  return endpointModel(
    profile,
    {
      path: PATH,
      request: (request) => output.sent(kept.sent(request, responsesRequest(request, profile))),
      instead: (request, sent, refusal) =>
        kept.instead(request, sent, refusal) ?? output.instead(request, sent, refusal),
      kept: kept.told,
      background: { ...responsesBackground(PATH, responseId), wanted: profile.features?.background ?? false },
      streaming: RESPONSES_STREAM,
      answer: responsesAnswer,
      said: ["instructions", "input"],
      hint,
    },
    openaiTransport(profile),
    options,
  );
}
