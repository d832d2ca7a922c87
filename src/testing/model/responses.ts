/** OpenAI Responses, stateless: nothing is stored, so that each request must hold all. */
import { chatProtocol } from "./chat.ts";
import { checkResponsesRequest } from "./check-responses.ts";
import { jsonWire, type Protocol } from "./protocol.ts";
import { answer } from "./reply.ts";
import { response } from "./responses-answer.ts";
import { responseStream } from "./responses-stream.ts";
import { readResponsesRequest } from "./responses-read.ts";

export const responsesProtocol: Protocol = {
  name: "responses",
  path: "/responses",
  check: checkResponsesRequest,
  read: readResponsesRequest,
  answer(request, reply, seed) {
    const whole = response(request, reply, seed);
    return request.stream ? responseStream(whole, reply) : jsonWire(200, whole, reply.headers);
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
