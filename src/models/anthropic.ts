/** Anthropic's own SDK as a transport: an optional package, loaded when the first question is asked. */
import { createRequire } from "node:module";
import { isObject } from "../core/json.ts";
import { fetchWithError } from "./fetch-with-error.ts";
import type { Endpoint } from "./profile.ts";
import type { Transport } from "./transport.ts";
import { refuse } from "./profile.ts";

const PACKAGE = "@anthropic-ai/sdk";

/** @throws ErrandError `option-invalid` if the package is not installed */
export function needAnthropicSdk(find: (name: string) => unknown = createRequire(import.meta.url).resolve): void {
  try {
    find(PACKAGE);
  } catch {
    refuse(`protocol: "messages" needs the package ${PACKAGE}, which is not installed. Run: npm install ${PACKAGE}`);
  }
}

/** @param keyHeader the key goes out as `x-api-key` */
export function anthropicTransport(endpoint: Endpoint, keyHeader: boolean): Transport {
  let client: Promise<Client> | undefined;
  return {
    async post(path, body, { timeoutMs, signal, unread = false }) {
      client ??= clientFor(endpoint, keyHeader);
      if (unread) {
        const sent = (await client).post(path, { body, signal, timeout: timeoutMs, stream: true });
        const response = await sent.asResponse();
        return { body: response, headers: response.headers };
      }
      const posted = (await client).post(path, { body, signal, timeout: timeoutMs });
      const { data, response } = await posted.withResponse();
      return { body: data, headers: response.headers };
    },
    // Any error with a status: the SDK's classes are not loaded here.
    refusal(error) {
      if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return undefined;
      const { status, error: body, headers } = error as Error & { status: number; error?: unknown; headers?: unknown };
      const told: unknown = isObject(body) && "error" in body ? body["error"] : body;
      return { kind: "fault", status, error: told, ...(headers instanceof Headers && { headers }) };
    },
  };
}

interface Client {
  post(
    path: string,
    options: { body: unknown; signal: AbortSignal; timeout: number; stream?: boolean },
  ): { withResponse(): Promise<{ data: unknown; response: Response }>; asResponse(): Promise<Response> };
}

/** Everything the SDK would read from the environment is given here, or taken out again: ANTHROPIC_CUSTOM_HEADERS. */
async function clientFor({ apiKey, baseURL, headers = {} }: Endpoint, keyHeader: boolean): Promise<Client> {
  const { Anthropic } = await import("@anthropic-ai/sdk");
  const ours = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return new Anthropic({
    apiKey,
    authToken: null,
    // The SDK adds /v1 itself; gateways write it down.
    baseURL: (baseURL ?? "https://api.anthropic.com").replace(/\/(v1\/?)?$/, ""),
    defaultHeaders: { ...headers },
    maxRetries: 0,
    logLevel: "off",
    openTelemetry: false,
    webhookKey: null,
    fetch: (url, init) => {
      const all = new Headers(init?.headers as ConstructorParameters<typeof Headers>[0]);
      const given = Object.fromEntries([...all].filter(([name]) => ours.has(name) || OF_SDK.test(name)));
      if (keyHeader) {
        given["x-api-key"] = apiKey;
        delete given["authorization"];
      }
      // fetch would send the key on to wherever it is led.
      return fetchWithError(url, { ...(init as RequestInit), headers: given, redirect: "error" });
    },
  });
}

const OF_SDK = /^(accept|authorization|content-type|user-agent|x-api-key|anthropic-version|x-stainless-.+)$/;
