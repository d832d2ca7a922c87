/** The `Model` port over one wire protocol, by a vendor's SDK underneath. One question, no retries. */
import type { ModelAnswer, ModelReply, ModelRequest } from "../core/messages.ts";
import type { Clock } from "../ports/clock.ts";
import type { Accepted, Model } from "../ports/model.ts";
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
  /** What the provider keeps of it. @param first the body that was sent first. @param last the one that was answered */
  readonly kept?: (
    request: ModelRequest,
    first: Fields,
    last: Fields,
    answered: unknown,
  ) => Pick<ModelAnswer, "kept" | "history">;
}

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
  const { background: fetching } = wire;
  return {
    ...(fetching !== undefined && { cancel: (_, id) => cancelled(transport, fetching, id) }),
    async respond(request, { timeoutMs, signal, onText, background }) {
      let body = wire.request(request);
      let running: Accepted | undefined = background?.accepted;
      const started = clock.monotonic();
      const deadline = startDeadline(timeoutMs, signal);
      // Ours is the only timer: the SDKs' do not cover the body of an error.
      const options = { signal: deadline.signal, timeoutMs: Math.ceil(timeoutMs) + 60_000 };
      const fail = (fault: Fault): ModelReply => {
        const said = (): string => JSON.stringify(wire.said.map((field) => body[field]));
        const failure = modelFailure(fault, { now: clock.now(), secrets, said });
        const hint = wire.hint?.(failure.message);
        return hint === undefined ? failure : { ...failure, message: `${failure.message} ${hint}` };
      };
      const historyOf = (answered: unknown): Pick<ModelAnswer, "history" | "kept"> =>
        wire.kept?.(request, first, body, answered) ?? {};
      const fetchFrom = (
        protocol: BackgroundProtocol,
        { answer: id }: Accepted,
        again: boolean,
      ): Promise<Posted | Fault> =>
        fetched(transport, protocol, {
          id,
          request: body,
          again,
          leaves: background?.leaves ?? (() => false),
          ...options,
          pace,
          now: () => clock.now(),
        });
      const ask = async (): Promise<Posted | Fault> => {
        if (running !== undefined) return fetching === undefined ? GONE : fetchFrom(fetching, running, true);
        if (background !== undefined && fetching?.wanted === true) {
          const posted = await transport.post(wire.path, { ...body, ...fetching.fields }, options);
          const id = fetching.pending(posted.body);
          if (id === undefined) return posted;
          const { history } = historyOf(posted.body);
          running = { answer: id, ...(history !== undefined && { history }) };
          return (await background.accept(running)) ? fetchFrom(fetching, running, false) : LEFT;
        }
        return answeredAtOnce();
      };
      const answeredAtOnce = async (): Promise<Posted> => {
        const parts: unknown[] = [];
        for (;;) {
          const { body: part, headers } =
            onText === undefined
              ? await transport.post(wire.path, body, options)
              : await streamed(transport, wire, body, options, onText);
          parts.push(part);
          const next = parts.length < MOST_PARTS ? wire.paused?.next(body, part) : undefined;
          if (next === undefined) return { body: parts.length === 1 ? part : wire.paused?.join(parts), headers };
          body = next;
        }
      };
      const answerIn = ({ body: answered, headers }: Posted): ModelAnswer | Fault => {
        const tookMs = Math.round(clock.monotonic() - started);
        return wire.answer(answered, { model: request.model, tookMs, headers, price: endpoint.price }, request);
      };
      const first = body;
      try {
        for (let forms = 1; ; forms++) {
          const posted = await ask().catch((error: unknown) => refusalOf(error, transport));
          const answer = "kind" in posted ? posted : answerIn(posted);
          if (answer.kind === "answer") {
            const there = "kind" in posted ? {} : historyOf(posted.body);
            const { history } = running ?? there;
            const { kept } = there;
            return { ...answer, ...(kept !== undefined && { kept }), ...(history !== undefined && { history }) };
          }
          if (answer.background !== undefined) return fail(answer);
          running = undefined;
          const other = forms < MOST_FORMS ? wire.instead?.(request, body, answer) : undefined;
          if (other === undefined) return fail(answer);
          body = other;
        }
      } catch (error) {
        const late = running === undefined ? {} : ({ background: "running" } as const);
        if (deadline.passed())
          return fail({ kind: "fault", ...late, words: `no complete answer within ${Math.round(timeoutMs)} ms` });
        if (signal.aborted) return fail({ kind: "fault", ...late, words: "the request was aborted" });
        return fail(connectionFault(error));
      } finally {
        deadline.stop();
      }
    },
  };
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
