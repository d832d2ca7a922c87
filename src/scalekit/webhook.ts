/**
 * The receiver of Scalekit's webhooks: a fetch handler for POST, at whatever path the app mounts it.
 *
 * W1 Nothing is parsed before one of the secrets has signed its very bytes, within five minutes of our time.
 * W2 An event is a hint. Its status is not even read: a worker looks at the account, and only what it sees lets runs go on. So a
 *    forged, late, repeated or re-ordered event costs one look.
 * W3 5xx only if the hint could be lost, so that Scalekit sends it again. 2xx once it is in Redis, or when there is nothing in it for
 *    us. The sweep is the net below.
 * W4 Bodies, identifiers, secrets and signatures are never logged, and a flood of refusals is a few lines.
 */
import { checkIdentifier } from "../core/identifier.ts";
import { ErrandError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { AskedAccount, Looks } from "../ports/looks.ts";
import { readBody } from "./body.ts";
import { isSigned, isTimely, secretKeys, signedHeaders } from "./signature.ts";

export interface WebhookOptions {
  /** `whsec_…` of Scalekit's dashboard; two while it is changed. */
  readonly secrets: readonly string[];
  /** `env_…`; events of another environment are refused. Default: any environment that signs with the secret. */
  readonly environmentId?: string;
  readonly looks: Looks;
  readonly clock: Clock;
  readonly log: Log;
}

/** Far more than an event of an account, which has less than one. */
const MOST_BYTES = 256 * 1024;
/** Scalekit waits ten seconds for an answer, all in all. */
const BODY_WITHIN_MS = 4_000;
const ASK_WITHIN_MS = 4_000;

/**
 * What may be good news for a run that waits. Others are none: a link of ours, a token that was read, a token that was refreshed
 * (if that changes the status, status_updated tells).
 */
const TELLING: ReadonlySet<string> = new Set([
  "connected_account.created",
  "connected_account.updated",
  "connected_account.status_updated",
  "connected_account.oauth_succeeded",
  "connected_account.deleted",
]);

/** @throws ErrandError `config-missing`, `config-invalid` */
export function createWebhook(options: WebhookOptions): (request: Request) => Promise<Response> {
  const keys = secretKeys(options.secrets);
  const { looks, clock, log, environmentId } = options;
  const tellRefusal = refusals(log, clock);
  const refuse = (status: number, why: string): Response => {
    tellRefusal(why);
    return answer(status, "refused");
  };

  return async (request) => {
    if (request.method !== "POST") return answer(405, "POST only", { allow: "POST" });
    const headers = signedHeaders(request.headers);
    if (headers === undefined) return refuse(401, "headers");
    if (!isTimely(headers, clock.now())) return refuse(401, "timestamp");
    if (request.bodyUsed) return refuse(500, "body-was-read");
    const body = await readBody(request, MOST_BYTES, BODY_WITHIN_MS).catch(() => "broken" as const);
    if (body === "too-large") return refuse(413, body);
    if (typeof body === "string") return refuse(408, body);
    if (!isSigned(headers, body, keys)) return refuse(401, body.length === 0 ? "empty-body" : "signature");

    const event = parse(body);
    if (event === undefined) return refuse(400, "malformed");
    if (environmentId !== undefined && event.environment !== environmentId) return refuse(403, "environment");
    if (!TELLING.has(event.type)) return answer(200, "nothing to do");
    if (event.account === undefined) {
      log.info("webhook.ignored", { type: event.type, why: "names no account that Errand could have" });
      return answer(200, "nothing to do");
    }
    try {
      const fresh = await within(looks.ask(event.account, headers.id), ASK_WITHIN_MS);
      const { connection = "unknown" } = event.account;
      if (fresh) log.info("webhook.heard", { type: event.type, connection });
      return answer(200, fresh ? "heard" : connection === "unknown" ? "nothing to do" : "heard before");
    } catch (error) {
      const kind = error instanceof ErrandError ? error.code : error instanceof Error ? error.name : "unknown";
      log.error("webhook.lost", { type: event.type, error: kind });
      return answer(503, "try again", { "retry-after": "5" });
    }
  };
}

interface Told {
  readonly type: string;
  readonly environment: unknown;
  /** Checked: an identifier and a connection as runs have them. */
  readonly account: AskedAccount | undefined;
}

function parse(body: Uint8Array): Told | undefined {
  try {
    const event: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    if (!isObject(event) || typeof event["type"] !== "string") return undefined;
    return { type: event["type"], environment: event["environment_id"], account: accountOf(event["data"]) };
  } catch {
    return undefined;
  }
}

/** `connection_name` is left out when Scalekit cannot tell it; identifiers of other apps may have other shapes. */
function accountOf(data: unknown): AskedAccount | undefined {
  if (!isObject(data)) return undefined;
  const { connection_name: connection = "" } = data;
  if (typeof connection !== "string" || !/^[a-zA-Z0-9_: -]{0,400}$/.test(connection)) return undefined;
  try {
    return { identifier: checkIdentifier(data["identifier"]), ...(connection !== "" && { connection }) };
  } catch {
    return undefined;
  }
}

/** Each kind of refusal once in ten seconds, with how many there were meanwhile: forgers do not fill our logs. */
function refusals(log: Log, clock: Pick<Clock, "monotonic">): (why: string) => void {
  const told = new Map<string, { readonly at: number; more: number }>();
  return (why) => {
    const last = told.get(why);
    if (last !== undefined && clock.monotonic() - last.at < 10_000) return void last.more++;
    log.warn("webhook.refused", { why, before: last?.more ?? 0 });
    told.set(why, { at: clock.monotonic(), more: 0 });
  };
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ErrandError("timeout", `no answer of Redis within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function answer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...headers },
  });
}
