/** The `Model` port over OpenAI chat completions, for OpenAI and every gateway that speaks it. One request, no retries. */
import OpenAI from "openai";
import type { ModelReply } from "../core/messages.ts";
import type { Clock } from "../ports/clock.ts";
import type { Model } from "../ports/model.ts";
import { chatAnswer } from "./chat-answer.ts";
import { type ChatProfile, checkChatProfile } from "./chat-profile.ts";
import { chatRequest } from "./chat-request.ts";
import { type Fault, modelFailure } from "./failure.ts";
import { fetchWithError } from "./fetch-with-error.ts";

export type { ChatFeatures, ChatProfile } from "./chat-profile.ts";

export interface ChatModelOptions {
  readonly clock?: Clock;
}

const SYSTEM_CLOCK: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** @throws ErrandError `option-invalid` on a profile that can never work */
export function chatModel(profile: ChatProfile, { clock = SYSTEM_CLOCK }: ChatModelOptions = {}): Model {
  checkChatProfile(profile);
  const client = clientFor(profile);
  const secrets = [profile.apiKey, ...Object.values(profile.headers ?? {}).filter((value) => value.length >= 8)];
  return {
    async respond(request, { timeoutMs, signal }) {
      const body = chatRequest(request, profile);
      const started = clock.monotonic();
      const deadline = startDeadline(timeoutMs, signal);
      const fail = (fault: Fault): ModelReply =>
        modelFailure(fault, { now: clock.now(), secrets, said: () => JSON.stringify(body.messages) });
      try {
        // Ours is the only timer: the SDK's does not cover the body of an error.
        const options = { signal: deadline.signal, timeout: Math.ceil(timeoutMs) + 60_000 };
        const completion: unknown = await client.chat.completions.create(body, options);
        const tookMs = Math.round(clock.monotonic() - started);
        const answer = chatAnswer(completion, { model: request.model, tookMs });
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
function clientFor({ apiKey, baseURL, headers }: ChatProfile): OpenAI {
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
