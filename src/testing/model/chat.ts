/** OpenAI chat completions, whole and streamed. */
import { completion, head } from "./chat-answer.ts";
import { readChatRequest } from "./chat-read.ts";
import { streamed } from "./chat-stream.ts";
import { checkChatRequest } from "./check-chat.ts";
import { httpError } from "./faults.ts";
import { jsonWire, type Protocol } from "./protocol.ts";

export const chatProtocol: Protocol = {
  name: "chat",
  path: "/chat/completions",
  check: checkChatRequest,
  read: readChatRequest,
  answer(request, reply, seed) {
    return request.stream
      ? streamed(request, reply, seed)
      : jsonWire(200, completion(request, reply, seed), reply.headers);
  },
  noChoices(request, seed) {
    return jsonWire(200, { ...head(request, "chat.completion", seed), choices: [], usage: null });
  },
  error(reply) {
    return jsonWire(reply.status, { error: reply.error }, reply.headers);
  },
  invalid(problems) {
    const param = /^([\w.[\]$]+): /.exec(problems[0] ?? "")?.[1] ?? null;
    const message = problems
      .slice(0, 5)
      .map((one) => one.replace(/^([\w.[\]$]+): /, "Invalid '$1': "))
      .join(" ");
    return httpError(400, { message, param, code: codeOf(problems[0] ?? "") });
  },
};

function codeOf(problem: string): string | null {
  if (problem.includes("array too long")) return "array_above_max_length";
  if (problem.includes("string too long")) return "string_above_max_length";
  if (problem.includes("missing required parameter")) return "missing_required_parameter";
  if (problem.includes("Invalid schema")) return "invalid_function_parameters";
  return problem.includes("empty array") ? "empty_array" : null;
}
