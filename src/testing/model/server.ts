/** A model server for tests: real HTTP on 127.0.0.1, with a script in place of a model. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { canonical } from "../../core/json.ts";
import { masked, receive, refusalOf, refusalOfKey } from "./arrival.ts";
import { chatProtocol } from "./chat.ts";
import { late } from "./faults.ts";
import { kept, keepingRefusal } from "./keep.ts";
import { messagesProtocol } from "./messages.ts";
import type { Protocol, ScriptRequest } from "./protocol.ts";
import type { Reply } from "./reply.ts";
import { responsesProtocol } from "./responses.ts";
import { play, type Script, type ScriptContext } from "./script.ts";
import { send } from "./send.ts";
import { type Lookup, storedResponses } from "./stored.ts";
import { createWaiters } from "./waiters.ts";

/** A request that came, for assertions: the neutral view, the `body` as it was sent, and what became of it. */
export interface RecordedRequest extends ScriptRequest, ScriptContext {
  /** "chat", "responses", "messages", or "none" if the path is that of no protocol. */
  readonly protocol: string;
  readonly method: string;
  readonly path: string;
  /** Lower-case names; the key is masked. */
  readonly headers: Readonly<Record<string, string>>;
  /** Why it was refused (400, 401, 404) before the script saw it; empty if it was not. */
  readonly problems: readonly string[];
  /** Changes once. `aborted`: the connection ended before the whole reply was out. */
  readonly outcome: "open" | "answered" | "aborted";
}

export interface ScriptedModelOptions {
  /** Default "test-key". */
  readonly apiKey?: string;
  /** Without one every request is answered with 400. */
  readonly script?: Script;
  /** Milliseconds before each scripted reply; default 0. */
  readonly latencyMs?: number;
  /** Responses in the background: how often an answer is still being worked on when it is asked for; default 1. */
  readonly polls?: number;
  /** Responses: nothing is stored for later requests, as for organisations with Zero Data Retention. */
  readonly zeroRetention?: boolean;
  /** Responses: what is said to a request about a stored answer, in place of the answer. Nothing: the answer. */
  readonly lookup?: (lookup: Lookup) => Reply | undefined | Promise<Reply | undefined>;
  /** 0 (the default) takes a free port. */
  readonly port?: number;
}

export interface ScriptedModel {
  /** The base URL with /v1. */
  readonly url: string;
  readonly apiKey: string;
  /** Every request so far, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Replaces the script for the requests to come. */
  script(script: Script): void;
  /**
   * The first request, past or future, for which `predicate` holds; asked when a request arrives, before it is answered,
   * and again when its outcome is known. Rejects if the server closes first.
   */
  waitFor(predicate: (request: RecordedRequest) => boolean): Promise<RecordedRequest>;
  /** Responses: stored answers are gone, as after their time; without an id all of them. */
  forget(id?: string): void;
  /** Breaks open connections and stops listening. Safe to call again. */
  close(): Promise<void>;
}

const PROTOCOLS: readonly Protocol[] = [chatProtocol, responsesProtocol, messagesProtocol];

type Draft = { -readonly [Field in keyof RecordedRequest]: RecordedRequest[Field] };

/**
 * Starts a scripted model that the real, unmodified SDKs can talk to. Requests the real API would refuse are refused.
 * @throws if the port is taken
 */
export async function startScriptedModel(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
  const apiKey = options.apiKey ?? "test-key";
  const latencyMs = options.latencyMs ?? 0;
  const requests: Draft[] = [];
  const seen = new Map<string, number>();
  const waiters = createWaiters<RecordedRequest>(requests);
  const stored = storedResponses();
  const keeping = { polls: options.polls ?? 1, zeroRetention: options.zeroRetention ?? false };
  let script: Script = options.script ?? [];
  let closed: Promise<void> | undefined;

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrival = await receive(incoming);
    const lookup = stored.lookup(arrival.method, arrival.path, arrival.query);
    const found = lookup === undefined ? PROTOCOLS.find((one) => arrival.path === `/v1${one.path}`) : responsesProtocol;
    const protocol = found ?? chatProtocol;
    const whole = found?.name === "responses" ? stored.whole(arrival.body) : arrival.body;
    const request = protocol.read(whole);
    const seed = createHash("sha256").update(canonical(arrival.body)).digest("hex");
    const attempt = seen.get(seed) ?? 0;
    seen.set(seed, attempt + 1);
    const turn = request.messages.filter((message) => message.role === "assistant").length;
    const context = { turn, index: requests.length, attempt };
    const refusal =
      lookup === undefined
        ? refusalOf({ ...arrival, body: whole }, found, apiKey)
        : refusalOfKey(arrival, protocol, apiKey);

    const draft: Draft = {
      ...request,
      ...context,
      body: protocol.read(arrival.body).body,
      method: arrival.method,
      protocol: found?.name ?? "none",
      path: arrival.path,
      headers: masked(arrival.headers),
      problems: refusal?.problems ?? [],
      outcome: "open",
    };
    requests.push(draft);
    // The client may go away at any moment: an outcome that tests wait for, never an error of this server.
    const gone = new AbortController();
    response.once("close", () => {
      draft.outcome = response.writableFinished ? "answered" : "aborted";
      gone.abort();
      waiters.look(draft);
    });
    waiters.look(draft);

    const sending = { request, protocol, seed, signal: gone.signal };
    if (lookup !== undefined && refusal === undefined) {
      const said = (await options.lookup?.(lookup)) ?? stored.answer(lookup);
      return send(response, { ...sending, reply: said });
    }
    const isResponses = found?.name === "responses";
    const no = (isResponses ? keepingRefusal(arrival.body, keeping) : undefined) ?? refusal?.reply;
    const played = no ?? (await play(script, draft, context));
    // Equal requests get equal ids, but never one that stands for something already.
    const unique = attempt > 0 && isResponses ? `${seed}:${attempt}` : seed;
    const reply = no === undefined && isResponses ? kept(stored, request, played, unique, keeping) : played;
    const timed = no === undefined && latencyMs > 0 ? late(latencyMs, reply) : reply;
    await send(response, { ...sending, seed: unique, reply: timed });
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  const port = await listen(server, options.port ?? 0);

  return {
    url: `http://127.0.0.1:${port}/v1`,
    apiKey,
    requests,
    script(next): void {
      script = next;
    },
    forget: (id) => stored.forget(id),
    waitFor: (predicate) => waiters.waitFor(predicate),
    close(): Promise<void> {
      closed ??= new Promise((resolve) => {
        waiters.end();
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
