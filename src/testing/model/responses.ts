/** OpenAI Responses, stateless: nothing is stored, so that each request must hold all. Not streamed. */
import { chatProtocol } from "./chat.ts";
import { checkResponsesRequest } from "./check-responses.ts";
import { httpError } from "./faults.ts";
import { jsonWire, type Protocol } from "./protocol.ts";
import { answer } from "./reply.ts";
import { response } from "./responses-answer.ts";
import { readResponsesRequest } from "./responses-read.ts";

export const responsesProtocol: Protocol = {
  name: "responses",
  path: "/responses",
  check: checkResponsesRequest,
  read: readResponsesRequest,
  answer(request, reply, seed) {
    if (!request.stream) return jsonWire(200, response(request, reply, seed), reply.headers);
    return chatProtocol.error(
      httpError(400, { message: "The scripted model does not stream Responses.", param: "stream" }),
    );
  },
  noChoices(request, seed) {
    return jsonWire(200, response(request, answer({}), seed, []));
  },
  error: (reply) => chatProtocol.error(reply),
  invalid(problems) {
    const first = problems[0] ?? "";
    const refusal = chatProtocol.invalid(problems);
    if (first.startsWith("previous_response_id"))
      return { ...refusal, error: { ...refusal.error, code: "previous_response_not_found" } };
    return refusal;
  },
};
