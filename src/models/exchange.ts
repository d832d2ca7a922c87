/** The `Model` port over one wire protocol, by a vendor's SDK underneath. One question, no retries. */
import type { ModelAnswer, ModelFailure, ModelReply, ModelRequest } from "../core/messages.ts";
import type { Clock } from "../ports/clock.ts";
import type { Accepted, Model, ModelCallOptions } from "../ports/model.ts";
import type { Asked } from "./answer.ts";
import { type BackgroundProtocol, cancelled, fetched, GONE, LEFT, PACE, type Pace } from "./background.ts";
import { type Fault, modelFailure } from "./failure.ts";
import type { Fields } from "./fields.ts";
import type { Endpoint } from "./profile.ts";
import { serverEvents } from "./sse.ts";
import type { Streaming } from "./streaming.ts";
import type { Posted, PostOptions, Transport } from "./transport.ts";

export interface ModelOptions {
  readonly clock?: Clock;
  /** How often an answer in the background is looked for. */
  readonly pace?: Pace;
}

const SYSTEM_CLOCK: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export interface WireProtocol {
  /** Below the base URL, with a leading slash. */
  readonly path: string;
  request(request: ModelRequest): Fields;
  /** Never throws. */
  answer(body: unknown, asked: Asked, request: ModelRequest): ModelAnswer | Fault;
  /** The parts of a body that hold what was said to the model: an error message that repeats them is cut. */
  readonly said: readonly string[];
  /** What the operator can do about a failure with this message, if we know. */
  readonly hint?: (told: string) => string | undefined;
  readonly streaming: Streaming;
  /** For an answer that its provider broke off to have it go on: the request that lets it, and all parts as one body. */
  readonly paused?: {
    next(sent: Fields, answered: unknown): Fields | undefined;
    join(parts: readonly unknown[]): unknown;
  };
  /** The request to send instead, when this one was refused for a reason that another form of it has not. */
  readonly instead?: (request: ModelRequest, sent: Fields, refusal: Fault) => Fields | undefined;
  /** How answers in the background are fetched. `wanted`: turns are asked for like that. */
  readonly background?: BackgroundProtocol & { readonly wanted: boolean };
  readonly kept?: Kept;
}

/** What the provider keeps of it. @param first the body that was sent first. @param last the one that was answered */
export type Kept = (
  request: ModelRequest,
  first: Fields,
  last: Fields,
  answered: unknown,
) => Pick<ModelAnswer, "kept" | "history">;

/** A provider that pauses for ever is no provider. */
const MOST_PARTS = 10;
/** Nor is one that refuses each form. */
const MOST_FORMS = 4;

export function endpointModel(
  endpoint: Endpoint,
  wire: WireProtocol,
  transport: Transport,
  { clock = SYSTEM_CLOCK, pace = PACE }: ModelOptions,
): Model {
  const secrets = [endpoint.apiKey, ...Object.values(endpoint.headers ?? {}).filter((value) => value.length >= 8)];
  const parts: Parts = { endpoint, wire, transport, clock, pace, secrets };
  const { background } = wire;
  return {
    ...(background !== undefined && { cancel: (_, id) => cancelled(transport, background, id) }),
    async respond(request, given) {
      const { timeoutMs, signal } = given;
      const deadline = startDeadline(timeoutMs, signal);
      // Ours is the only timer: the SDKs' do not cover the body of an error.
      const options = { signal: deadline.signal, timeoutMs: Math.ceil(timeoutMs) + 60_000 };
      const first = wire.request(request);
      const running = given.background?.accepted;
      const question: Question = { request, first, body: first, running, given, options, began: clock.monotonic() };
      const gaveUp = (words: string): ModelReply => {
        const fault: Fault = { kind: "fault", words };
        return failureOf(parts, question, question.running === undefined ? fault : { ...fault, background: "running" });
      };
      try {
        return await answerOf(parts, question);
      } catch (error) {
        if (deadline.passed()) return gaveUp(`no complete answer within ${Math.round(timeoutMs)} ms`);
        if (signal.aborted) return gaveUp("the request was aborted");
        return failureOf(parts, question, connectionFault(error));
      } finally {
        deadline.stop();
      }
    },
  };
}

interface Parts extends Required<ModelOptions> {
  readonly endpoint: Endpoint;
  readonly wire: WireProtocol;
  readonly transport: Transport;
  readonly secrets: readonly string[];
}

interface Question {
  readonly request: ModelRequest;
  /** The body that was sent first, and the one that stands for it now. */
  readonly first: Fields;
  body: Fields;
  /** The answer that the provider works on in the background. */
  running: Accepted | undefined;
  readonly given: ModelCallOptions;
  readonly options: PostOptions;
  /** Monotonic ms. */
  readonly began: number;
}

/** In whichever form the provider takes it. @throws without any reply */
async function answerOf(parts: Parts, question: Question): Promise<ModelReply> {
  const { wire, transport } = parts;
  const { request } = question;
  for (let forms = 1; ; forms++) {
    const posted = await ask(parts, question).catch((error: unknown) => refusalOf(error, transport));
    const answer = "kind" in posted ? posted : answerIn(parts, question, posted);
    if (answer.kind === "answer") return answer;
    const isOver = answer.background !== undefined || forms === MOST_FORMS;
    const other = isOver ? undefined : wire.instead?.(request, question.body, answer);
    if (other === undefined) return failureOf(parts, question, answer);
    question.running = undefined;
    question.body = other;
  }
}

function answerIn({ wire, clock, endpoint }: Parts, question: Question, posted: Posted): ModelAnswer | Fault {
  const { request, running, began } = question;
  const tookMs = Math.round(clock.monotonic() - began);
  const asked = { model: request.model, tookMs, headers: posted.headers, price: endpoint.price };
  const answer = wire.answer(posted.body, asked, request);
  if (answer.kind === "fault") return answer;
  const { kept, history } = keptOf(wire, question, posted.body);
  const how = running === undefined ? history : running.history;
  return { ...answer, ...(kept !== undefined && { kept }), ...(how !== undefined && { history: how }) };
}

function keptOf(wire: WireProtocol, { request, first, body }: Question, answered: unknown): ReturnType<Kept> {
  return wire.kept?.(request, first, body, answered) ?? {};
}

function failureOf({ wire, clock, secrets }: Parts, { body }: Question, fault: Fault): ModelFailure {
  const said = (): string => JSON.stringify(wire.said.map((field) => body[field]));
  const failure = modelFailure(fault, { now: clock.now(), secrets, said });
  const hint = wire.hint?.(failure.message);
  return hint === undefined ? failure : { ...failure, message: `${failure.message} ${hint}` };
}

async function ask(parts: Parts, question: Question): Promise<Posted | Fault> {
  const { wire, transport } = parts;
  const { background: how } = wire;
  const { background: waiting } = question.given;
  if (question.running !== undefined) return how === undefined ? GONE : fetchFrom(parts, question, how, true);
  if (waiting === undefined || how?.wanted !== true) return askAtOnce(parts, question);
  const posted = await transport.post(wire.path, { ...question.body, ...how.fields }, question.options);
  const answer = how.pending(posted.body);
  if (answer === undefined) return posted;
  const { history } = keptOf(wire, question, posted.body);
  question.running = { answer, ...(history !== undefined && { history }) };
  return (await waiting.accept(question.running)) ? fetchFrom(parts, question, how, false) : LEFT;
}

function fetchFrom(
  { transport, clock, pace }: Parts,
  { running, body, given, options }: Question,
  how: BackgroundProtocol,
  again: boolean,
): Promise<Posted | Fault> {
  const leaves = given.background?.leaves ?? (() => false);
  const id = running?.answer ?? "";
  return fetched(transport, how, { id, request: body, again, leaves, ...options, pace, now: () => clock.now() });
}

async function askAtOnce({ wire, transport }: Parts, question: Question): Promise<Posted> {
  const { given, options } = question;
  const all: unknown[] = [];
  for (;;) {
    const { body } = question;
    const { body: part, headers } =
      given.onText === undefined
        ? await transport.post(wire.path, body, options)
        : await streamed(transport, wire, body, options, given.onText);
    all.push(part);
    const next = all.length < MOST_PARTS ? wire.paused?.next(body, part) : undefined;
    if (next === undefined) return { body: all.length === 1 ? part : wire.paused?.join(all), headers };
    question.body = next;
  }
}

/** @throws the error, if there was no reply */
function refusalOf(error: unknown, transport: Transport): Fault {
  const refusal = transport.refusal(error);
  if (refusal === undefined) throw error;
  return refusal;
}

/** Answers the body that the answer would have had in one piece. Servers that do not stream send just that. */
async function streamed(
  transport: Transport,
  { path, streaming }: WireProtocol,
  body: Fields,
  options: PostOptions,
  onText: (text: string) => void,
): Promise<Posted> {
  const { body: response, headers } = await transport.post(
    path,
    { ...body, ...streaming.fields },
    { ...options, unread: true },
  );
  if (!(response instanceof Response)) throw new Error("the transport read the answer");
  if (!/event-stream/i.test(headers.get("content-type") ?? "")) return { body: await response.text(), headers };
  const collector = streaming.collect(onText);
  for await (const event of serverEvents(response)) collector.take(event);
  return { body: collector.done() ?? { error: { message: "the stream ended before its end" } }, headers };
}

interface Deadline {
  readonly signal: AbortSignal;
  passed(): boolean;
  stop(): void;
}

function startDeadline(ms: number, outer: AbortSignal): Deadline {
  const controller = new AbortController();
  let passed = false;
  const abort = (): void => controller.abort();
  const timer = setTimeout(() => {
    passed = true;
    abort();
  }, ms);
  outer.addEventListener("abort", abort, { once: true });
  if (outer.aborted) abort();
  return {
    signal: controller.signal,
    passed: () => passed,
    stop() {
      clearTimeout(timer);
      outer.removeEventListener("abort", abort);
    },
  };
}

function connectionFault(error: unknown): Fault {
  if (error instanceof SyntaxError) return { kind: "fault", status: 200, words: "the answer is not valid JSON" };
  const code = causeCode(error);
  return { kind: "fault", words: `the connection failed${code === "" ? "" : ` (${code})`}` };
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET`, …: the deepest one says most. */
function causeCode(error: unknown): string {
  let code = "";
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    if ("code" in at && typeof at.code === "string") code = at.code;
  return code;
}
