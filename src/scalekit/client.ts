/**
 * The way to Scalekit: `ask` for questions that may be repeated, through the SDK; `once` for calls that must not be, on the generated
 * client below it; `request` for a provider's own API, through Scalekit's proxy.
 */
import { ErrandError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { createProxyWire, type ProxyWire } from "./proxy-wire.ts";
import { createSdk, type Sdk } from "./sdk.ts";
import { createTokens } from "./tokens.ts";
import { createWire, type Wire } from "./wire.ts";

export interface ScalekitOptions {
  /** The environment's URL, such as `https://acme.scalekit.cloud`. */
  readonly envUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** ms for one question to Scalekit; default 10,000. Tool calls have a limit of their own: `limits.toolTimeoutMs`. */
  readonly timeoutMs?: number;
}

export interface Scalekit extends Pick<Sdk, "ask">, Pick<Wire, "once">, ProxyWire {
  /** ms for one question. */
  readonly timeoutMs: number;
  /** Idempotent. Calls under way end as unknown, new ones are refused unsent. */
  close(): Promise<void>;
}

const SYSTEM: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/**
 * Connects nothing yet.
 * @throws ErrandError `config-invalid`
 */
export function createScalekit(options: ScalekitOptions, clock: Clock = SYSTEM): Scalekit {
  const checked = { ...checkOptions(options), timeoutMs: options.timeoutMs ?? 10_000 };
  const tokens = createTokens(checked, clock);
  const wire = createWire(checked.envUrl, tokens, clock);
  const proxy = createProxyWire(checked.envUrl, tokens, clock);
  const sdk = createSdk(checked, clock);
  return {
    timeoutMs: checked.timeoutMs,
    ask: (question) => sdk.ask(question),
    once: (call, limits) => wire.once(call, limits),
    request: (call, limits) => proxy.request(call, limits),
    async close() {
      wire.close();
    },
  };
}

function checkOptions(options: ScalekitOptions): Required<Omit<ScalekitOptions, "timeoutMs">> {
  const refuse = (message: string): never => {
    throw new ErrandError("config-invalid", `scalekit.${message}`);
  };
  const { clientId, clientSecret, timeoutMs } = options;
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs > 0))
    refuse(`timeoutMs: expected a positive number of milliseconds, got ${String(timeoutMs)}.`);
  for (const [name, value] of Object.entries({ clientId, clientSecret }))
    if (typeof value !== "string" || value.trim() === "" || value !== value.trim())
      refuse(`${name}: expected the value of your Scalekit dashboard (API credentials), without spaces around it.`);
  return { envUrl: checkUrl(options.envUrl, refuse), clientId, clientSecret };
}

function checkUrl(given: string, refuse: (message: string) => never): string {
  const url = typeof given === "string" && URL.canParse(given) ? new URL(given) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== "" ||
    url.search !== "" ||
    url.hash !== ""
  )
    return refuse('envUrl: expected the URL of your environment, such as "https://acme.scalekit.cloud".');
  // A name without a dot is this machine or a neighbour in a container network: an emulator.
  if (url.protocol === "http:" && url.hostname.includes(".") && !/^127(\.\d+){3}$/.test(url.hostname))
    return refuse(`envUrl: expected https for ${url.hostname}: the client secret must not travel in clear text.`);
  return url.href.replace(/\/+$/, "");
}
