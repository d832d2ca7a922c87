/**
 * A model server for tests: real HTTP on 127.0.0.1, a script instead of a model. The reply is decided from the request
 * alone (turn = assistant messages in the transcript), so a worker that died and asks again gets the same answer.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { canonical } from "../../core/json.ts";
import { chatProtocol } from "./chat.ts";
import { httpError } from "./faults.ts";
import type { Protocol, ScriptRequest } from "./protocol.ts";
import type { ErrorReply, Reply } from "./reply.ts";
import { send } from "./send.ts";
import { createWaiters } from "./waiters.ts";

export interface ScriptContext {
  /** Assistant messages in the transcript: 0 on the first request of a conversation. */
  readonly turn: number;
  /** How many requests this server saw before this one. */
  readonly index: number;
  /** How often this very request came before: 0 the first time, 1 for its first repeat. */
  readonly attempt: number;
}

export type ScriptFunction = (request: ScriptRequest, context: ScriptContext) => Reply | Promise<Reply>;

/** A function, or the steps of one conversation: the step at the request's turn. */
export type Script = ScriptFunction | readonly (Reply | ScriptFunction)[];

/** A request that came, for assertions: the neutral view, the verbatim `body`, and what became of it. */
export interface RecordedRequest extends ScriptRequest, ScriptContext {
  readonly protocol: string;
  readonly path: string;
  /** Lower-case names; the key in `authorization` is masked. */
  readonly headers: Readonly<Record<string, string>>;
  /** Why it was answered with 400, 401 or 404, if it was. */
  readonly problems: readonly string[];
  /** `aborted`: the client went away before it had the whole reply. */
  readonly outcome: "open" | "answered" | "aborted";
}

export interface ScriptedModelOptions {
  /** Default "test-key". */
  readonly apiKey?: string;
  readonly script?: Script;
  /** Milliseconds before each reply; default 0. */
  readonly latencyMs?: number;
  /** 0 (the default) takes a free port. */
  readonly port?: number;
}

export interface ScriptedModel {
  /** The base URL with /v1, as the OpenAI SDK wants it. */
  readonly url: string;
  readonly apiKey: string;
  /** Every request so far, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Replaces the script for the requests to come. */
  script(script: Script): void;
  /**
   * The first request, past or future, for which `predicate` holds; asked when it arrives and again when its outcome is
   * known. Rejects when the server is closed first.
   */
  waitFor(predicate: (request: RecordedRequest) => boolean): Promise<RecordedRequest>;
  /** Breaks open connections and ends. Safe to call again. */
  close(): Promise<void>;
}

const PROTOCOLS: readonly Protocol[] = [chatProtocol];

type Draft = { -readonly [Field in keyof RecordedRequest]: RecordedRequest[Field] };

export async function startScriptedModel(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
  const apiKey = options.apiKey ?? "test-key";
  const requests: Draft[] = [];
  const seen = new Map<string, number>();
  const waiters = createWaiters(requests);
  const closing = new AbortController();
  let script: Script = options.script ?? [];

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyText(incoming);
    const { body, problem } = parse(text);
    const path = (incoming.url ?? "/").replace(/\?.*$/, "");
    const protocol = PROTOCOLS.find((one) => path === `/v1${one.path}`);
    const request = (protocol ?? chatProtocol).read(body);
    const seed = createHash("sha256").update(canonical(body)).digest("hex");
    const attempt = seen.get(seed) ?? 0;
    seen.set(seed, attempt + 1);
    const context = {
      turn: request.messages.filter((one) => one.role === "assistant").length,
      index: requests.length,
      attempt,
    };
    const draft: Draft = {
      ...request,
      ...context,
      protocol: protocol?.name ?? "none",
      path,
      headers: headersOf(incoming),
      problems: [],
      outcome: "open",
    };
    requests.push(draft);
    // The client may go away at any moment: that is an outcome tests wait for, never an error of this server.
    response.once("close", () => {
      draft.outcome = response.writableFinished ? "answered" : "aborted";
      waiters.look(draft);
    });
    const refused = refusalFor({ protocol, incoming, path, apiKey, body, problem });
    draft.problems = refused.problems;
    waiters.look(draft);
    const reply = refused.reply ?? (await play(script, draft, context, options.latencyMs ?? 0));
    await send(response, { reply, request, protocol: protocol ?? chatProtocol, seed, signal: closing.signal });
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  let closed: Promise<void> | undefined;

  return {
    url: `http://127.0.0.1:${port}/v1`,
    apiKey,
    requests,
    script(next): void {
      script = next;
    },
    waitFor: waiters.waitFor,
    close(): Promise<void> {
      closed ??= new Promise((resolve) => {
        closing.abort();
        waiters.end();
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

async function play(script: Script, request: ScriptRequest, context: ScriptContext, latencyMs: number): Promise<Reply> {
  const step = typeof script === "function" ? script : script[context.turn];
  const reply = await answerOf(step, request, context, script.length);
  return latencyMs > 0 ? { kind: "late", reply, ms: latencyMs } : reply;
}

// A mistake in a script is answered with 400, which no client tries again, so that the test fails at once and says why.
async function answerOf(
  step: Reply | ScriptFunction | undefined,
  request: ScriptRequest,
  context: ScriptContext,
  steps: number,
): Promise<Reply> {
  if (step === undefined) {
    const message = `The script has ${steps} steps, but turn ${context.turn} was asked for (turns count from 0)`;
    return httpError(400, { message, code: "script_ended" });
  }
  if (typeof step !== "function") return step;
  try {
    return await step(request, context);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return httpError(400, { message: `The script failed: ${why}`, code: "script_failed" });
  }
}

interface Arrival {
  readonly protocol: Protocol | undefined;
  readonly incoming: IncomingMessage;
  readonly path: string;
  readonly apiKey: string;
  readonly body: unknown;
  readonly problem: string | undefined;
}

function refusalFor(arrival: Arrival): { readonly problems: readonly string[]; readonly reply?: ErrorReply } {
  const refuse = (
    status: number,
    problems: readonly string[],
    code: string | null = null,
  ): { problems: readonly string[]; reply: ErrorReply } => {
    const param = /^([a-z_]+[^:]*):/.exec(problems[0] ?? "")?.[1] ?? null;
    return {
      problems,
      reply: httpError(status, { message: problems.join("; "), type: "invalid_request_error", param, code }),
    };
  };
  if (arrival.incoming.headers.authorization !== `Bearer ${arrival.apiKey}`) {
    return refuse(401, ["Incorrect API key provided"], "invalid_api_key");
  }
  if (arrival.protocol === undefined || arrival.incoming.method !== "POST") {
    return refuse(404, [`Invalid URL (${arrival.incoming.method ?? ""} ${arrival.path})`]);
  }
  if (arrival.problem !== undefined) return refuse(400, [arrival.problem]);
  const problems = arrival.protocol.check(arrival.body);
  return problems.length === 0 ? { problems } : refuse(400, problems);
}

async function bodyText(incoming: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): { readonly body: unknown; readonly problem?: string } {
  try {
    return { body: JSON.parse(text) };
  } catch {
    return { body: null, problem: "We could not parse the JSON body of your request" };
  }
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers[name] = name === "authorization" ? "Bearer ***" : String(value);
  }
  return headers;
}
