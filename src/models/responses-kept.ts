/**
 * What OpenAI keeps of a conversation (`store: true`), and when a request begins behind it (`previous_response_id`) instead of holding all.
 *
 * K1 An id is used only while it stands for exactly what would be sent: the digest of all before the last turn is that of the request
 *    which it answered. Compaction, other instructions, tools, model or address, and a turn of another model change it.
 * K2 All of the turn is known to us, and each of its calls has its answer, under the provider's own id of the call.
 * K3 Who has it no more gets all of it, in the same call. Both bodies are pure functions of the journal, so a replay sends the same.
 */
import { createHash } from "node:crypto";
import { canonical, isObject } from "../core/json.ts";
import type { KeptThere, Message, ModelRequest } from "../core/messages.ts";
import type { Kept } from "./exchange.ts";
import type { Fault } from "./failure.ts";
import type { Fields } from "./fields.ts";
import { responsesOutput } from "./media.ts";
import { plainMessage } from "./responses-input.ts";
import { type CallItem, readItems } from "./responses-items.ts";
import type { ResponsesProfile } from "./responses-profile.ts";
import { responsesRequest } from "./responses-request.ts";

type Assistant = Extract<Message, { role: "assistant" }>;

export interface KeptHistory {
  /** @param full the request that holds all. @returns the one that begins behind the last turn, where that is certain to mean the same */
  readonly sent: (request: ModelRequest, full: Fields) => Fields;
  /** All of it, when the refusal is about what the provider keeps. */
  readonly instead: (request: ModelRequest, sent: Fields, refusal: Fault) => Fields | undefined;
  /** @param first the body that was sent first. @param last the one that was answered */
  readonly told: Kept;
}

export function keptHistory(profile: ResponsesProfile): KeptHistory {
  const wanted = profile.features?.previousResponseId ?? false;
  let never = false;
  return {
    sent: (request, full) => (wanted && !never ? (continued(request, profile, full) ?? full) : full),
    instead(request, { previous_response_id: previous, ...sent }, { status, error }) {
      if (previous === undefined) return undefined;
      const said = JSON.stringify(error) ?? "";
      const gone = status === 404 || status === 410;
      if (!gone && !(REFUSING.includes(status) && ABOUT_KEPT.test(said))) return undefined;
      never ||= NEVER_KEPT.test(said);
      return { ...sent, input: responsesRequest(request, profile)["input"] };
    },
    told(request, first, last, answered) {
      const [began, ended] = [first, last].map((body) => body["previous_response_id"] !== undefined);
      const id = wanted ? keptId(answered) : undefined;
      return {
        ...(id !== undefined && { kept: { id, after: digestOf(responsesRequest(request, profile), profile) } }),
        ...(began === true && { history: ended === true ? "kept" : "rebuilt" }),
      };
    },
  };
}

const REFUSING: readonly unknown[] = [200, 400, 422];

/**
 * OpenAI: code `previous_response_not_found`; "Previous response cannot be used for this organization due to Zero Data Retention"
 * (oh-my-pi#2341). LM Studio: "Prediction history node … not found" (lmstudio-bug-tracker#1188). vLLM has such an error; its words are
 * assumed. And whoever looks for the calls of an answer in what it keeps, and finds none.
 */
const ABOUT_KEPT =
  /previous.?response|zero.?data.?retention|response.{0,600}not.?found|history node|no tool (call|output) found/i;
/** What holds for every request: it is not tried again. */
const NEVER_KEPT =
  /zero.?data.?retention|not.?support|unsupported|unknown.?(parameter|field)|unrecogni[sz]ed|not permitted/i;

/** Of an answer that is whole: whether others are kept is nowhere written. */
function keptId(answered: unknown): string | undefined {
  const body = typeof answered === "string" ? undefined : answered;
  if (!isObject(body) || body["status"] !== "completed" || body["store"] === false) return undefined;
  return responseId(body["id"]);
}

/** Gateways put their own words into it (LiteLLM, base64), so it is longer than OpenAI's 53 characters. */
export function responseId(id: unknown): string | undefined {
  return typeof id === "string" && /^[\w-][\w.:=+/-]{0,511}$/.test(id) ? id : undefined;
}

function continued(request: ModelRequest, profile: ResponsesProfile, full: Fields): Fields | undefined {
  const at = request.messages.findLastIndex(({ role }) => role === "assistant");
  const last = request.messages[at];
  if (last?.role !== "assistant" || last.foreign === true || last.kept === undefined) return undefined;
  const earlier = request.messages.slice(0, at);
  if (!standsFor(last.kept, { ...request, messages: earlier }, profile)) return undefined;
  const input = itemsSince(last, earlier, request.messages.slice(at + 1), profile.features?.vision ?? true);
  return input === undefined ? undefined : { ...full, previous_response_id: last.kept.id, input };
}

function standsFor({ after }: KeptThere, before: ModelRequest, profile: ResponsesProfile): boolean {
  return digestOf(responsesRequest(before, profile), profile) === after;
}

/** No key: what another one may not read, is not found. */
function digestOf({ model, instructions, tools, input }: Fields, { baseURL }: ResponsesProfile): string {
  const said = canonical([baseURL ?? null, model, instructions ?? null, tools ?? null, input]);
  return createHash("sha256").update(said).digest("hex").slice(0, 32);
}

/** What the provider has not heard yet; nothing where it could misunderstand that. */
function itemsSince(
  last: Assistant,
  earlier: readonly Message[],
  since: readonly Message[],
  vision: boolean,
): Fields[] | undefined {
  const read = readItems(last.verbatim);
  if (!Array.isArray(last.verbatim) || read.length !== last.verbatim.length || since.length === 0) return undefined;
  const calls = read.filter((one): one is CallItem => one.is === "call");
  const taken = new Set(earlier.flatMap((message) => (message.role === "assistant" ? callIdsIn(message) : [])));
  const outputs: Fields[] = [];
  for (const [i, { item, replay }] of calls.entries()) {
    const { call_id: id, type } = item;
    const result = since.find((message) => message.role === "tool" && message.callId === last.callIds[i]);
    if (typeof id !== "string" || id === "" || taken.has(id) || result?.role !== "tool") return undefined;
    if (type !== "function_call" && type !== "custom_tool_call") return undefined;
    taken.add(id);
    outputs.push({ type: replay(id).outputType, call_id: id, output: responsesOutput(result, vision) });
  }
  const said = since.flatMap((message) => (message.role === "user" ? [plainMessage("user", message.text)] : []));
  return [...outputs, ...said];
}

function callIdsIn({ verbatim }: Assistant): unknown[] {
  return readItems(verbatim).flatMap((one) => (one.is === "call" ? [one.item["call_id"]] : []));
}
