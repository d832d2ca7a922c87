/** The `Model` port over one wire protocol of OpenAI's, by its own SDK. One request, no retries. */
import OpenAI from "openai";
import type { ModelAnswer, ModelReply, ModelRequest } from "../core/messages.ts";
import type { Clock } from "../ports/clock.ts";
import type { Model } from "../ports/model.ts";
import type { Asked } from "./answer.ts";
import { type Fault, modelFailure } from "./failure.ts";
import { fetchWithError } from "./fetch-with-error.ts";
import type { Fields } from "./fields.ts";
import type { Endpoint } from "./profile.ts";

export interface ModelOptions {
  readonly clock?: Clock;
}

const SYSTEM_CLOCK: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export interface WireProtocol {
  /** Below the base URL, with a leading slash. */
  readonly path: string;
  request(request: ModelRequest): Fields;
  /** Never throws. */
  answer(body: unknown, asked: Asked): ModelAnswer | Fault;
  /** The parts of a body that hold what was said to the model: an error message that repeats them is cut. */
  readonly said: readonly string[];
  /** What the operator can do about a failure with this message, if we know. */
  readonly hint?: (told: string) => string | undefined;
}

export function openaiModel(endpoint: Endpoint, wire: WireProtocol, { clock = SYSTEM_CLOCK }: ModelOptions): Model {
  const client = clientFor(endpoint);
  const secrets = [endpoint.apiKey, ...Object.values(endpoint.headers ?? {}).filter((value) => value.length >= 8)];
  return {
    async respond(request, { timeoutMs, signal }) {
      const body = wire.request(request);
      const started = clock.monotonic();
      const deadline = startDeadline(timeoutMs, signal);
      const said = (): string => JSON.stringify(wire.said.map((field) => body[field]));
      const fail = (fault: Fault): ModelReply => {
        const failure = modelFailure(fault, { now: clock.now(), secrets, said });
        const hint = wire.hint?.(failure.message);
        return hint === undefined ? failure : { ...failure, message: `${failure.message} ${hint}` };
      };
      try {
        // Ours is the only timer: the SDK's does not cover the body of an error.
        const options = { body, signal: deadline.signal, timeout: Math.ceil(timeoutMs) + 60_000 };
        // Not `responses.create`: it adds to the answer, and throws a TypeError on one that has not the shape of its types.
        const answered: unknown = await client.post(wire.path, options);
        const tookMs = Math.round(clock.monotonic() - started);
        const answer = wire.answer(answered, { model: request.model, tookMs });
        return answer.kind === "fault" ? fail(answer) : answer;
      } catch (error) {
        if (deadline.passed()) return fail({ kind: "fault", words: `no complete answer within ${timeoutMs} ms` });
        return fail(signal.aborted ? { kind: "fault", words: "the request was aborted" } : faultOf(error));
      } finally {
        deadline.stop();
      }
    },
  };
}

/** Everything the SDK would read from the environment is given here: its log level `debug` prints prompts. */
function clientFor({ apiKey, baseURL, headers }: Endpoint): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL: baseURL ?? "https://api.openai.com/v1",
    defaultHeaders: { ...headers },
    maxRetries: 0,
    logLevel: "off",
    fetch: fetchWithError,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
  });
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

function faultOf(error: unknown): Fault {
  if (error instanceof OpenAI.APIError && error.status !== undefined) {
    const { status, error: told, headers } = error as { status: number; error: unknown; headers: Headers | undefined };
    return { kind: "fault", status, error: told, ...(headers !== undefined && { headers }) };
  }
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
