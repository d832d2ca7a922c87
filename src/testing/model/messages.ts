/** Anthropic's messages. */
import { checkMessagesRequest } from "./check-messages.ts";
import { httpError } from "./faults.ts";
import { message } from "./messages-answer.ts";
import { messageStream } from "./messages-stream.ts";
import { readMessagesRequest } from "./messages-read.ts";
import { jsonWire, type Protocol, type Wire } from "./protocol.ts";
import type { ErrorReply } from "./reply.ts";

export const messagesProtocol: Protocol = {
  name: "messages",
  path: "/messages",
  requestIdHeader: "request-id",
  check: checkMessagesRequest,
  checkHeaders: (headers) =>
    headers["anthropic-version"] === undefined ? ["anthropic-version: header is required"] : [],
  read: readMessagesRequest,
  answer(request, reply, seed) {
    const whole = message(request, reply, seed);
    return request.stream ? messageStream(whole, reply) : jsonWire(200, whole, reply.headers);
  },
  noChoices(request, seed) {
    const { content: _content, ...rest } = message(request, { kind: "answer", text: null, calls: [] }, seed);
    return jsonWire(200, rest);
  },
  error: errorWire,
  invalid: (problems) => httpError(400, { message: problems.slice(0, 5).join(" ") }),
};

const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  500: "api_error",
  529: "overloaded_error",
};

/** A type that the script leaves to us is Anthropic's own. A code is none of Anthropic's, but gateways that speak its protocol have one. */
function errorWire({ status, error, headers }: ErrorReply): Wire {
  const { message: told, type: given, code } = error;
  const ours = given === "invalid_request_error" || given === "server_error";
  const type = (ours ? TYPES[status] : undefined) ?? given;
  return jsonWire(status, { type: "error", error: { type, message: told, ...(code !== null && { code }) } }, headers);
}
