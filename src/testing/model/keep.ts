/** How the scripted model's answers become stored ones: what a Responses request with `store` or `background` leaves at the server. */
import { isObject, type JsonObject } from "../../core/json.ts";
import { httpError, raw } from "./faults.ts";
import type { ScriptRequest } from "./protocol.ts";
import type { Answer, ErrorReply, Reply } from "./reply.ts";
import { response } from "./responses-answer.ts";
import { itemsOf, type StoredResponses, unfinished } from "./stored.ts";

export interface Keeping {
  /** How often an answer in the background is still being worked on when it is asked for. */
  readonly polls: number;
  /** Nothing is stored beyond what background mode needs, and no request may begin behind an answer. */
  readonly zeroRetention: boolean;
}

/** What a server without retention refuses before a model sees it. */
export function keepingRefusal(body: unknown, { zeroRetention }: Keeping): ErrorReply | undefined {
  if (!isObject(body)) return undefined;
  if (zeroRetention && typeof body["previous_response_id"] === "string")
    return httpError(400, {
      message: "Previous response cannot be used for this organization due to Zero Data Retention.",
      param: "previous_response_id",
      code: "unsupported_parameter",
    });
  if (body["background"] === true && body["stream"] === true)
    return httpError(400, { message: "The scripted model does not stream in the background.", param: "stream" });
  return undefined;
}

/** Stores the answer, if it is one. @returns what goes out at once: of background mode, that it is queued */
export function kept(
  stored: StoredResponses,
  request: ScriptRequest,
  reply: Reply,
  seed: string,
  { polls, zeroRetention }: Keeping,
): Reply {
  const { body } = request;
  const whole = answerIn(reply);
  if (whole === undefined) return reply;
  const conversation = itemsOf(body["input"]);
  const answer = response(request, whole.answer, seed);
  if (body["background"] !== true) {
    if (body["store"] !== false && !zeroRetention) stored.keep(answer, conversation);
    return reply;
  }
  stored.keep({ ...answer, background: true }, conversation, { polls, readyAt: performance.now() + whole.lateMs });
  const queued: JsonObject = { ...unfinished(answer, "queued"), background: true };
  return raw({ body: JSON.stringify(queued) });
}

/** Of a reply that is cut on its way, the server has the whole. */
function answerIn(reply: Reply, lateMs = 0): { readonly answer: Answer; readonly lateMs: number } | undefined {
  if (reply.kind === "answer") return { answer: reply, lateMs };
  if (reply.kind === "late") return answerIn(reply.reply, lateMs + reply.ms);
  return reply.kind === "cut" ? answerIn(reply.reply, lateMs) : undefined;
}
