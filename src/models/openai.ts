/** OpenAI's own SDK as a transport: chat completions and Responses, of OpenAI and of everything that speaks them. */
import OpenAI from "openai";
import { fetchWithError } from "./fetch-with-error.ts";
import type { Endpoint } from "./profile.ts";
import type { Transport } from "./transport.ts";

export function openaiTransport(endpoint: Endpoint): Transport {
  const client = clientFor(endpoint);
  return {
    // Not `responses.create`: it adds to the answer, and throws a TypeError on one that has not the shape of its types.
    async post(path, body, { timeoutMs, signal, unread = false }) {
      if (unread) {
        const response = await client.post(path, { body, signal, timeout: timeoutMs, stream: true }).asResponse();
        return { body: response, headers: response.headers };
      }
      const { data, response } = await client.post(path, { body, signal, timeout: timeoutMs }).withResponse();
      return { body: data, headers: response.headers };
    },
    async get(path, query, { timeoutMs, signal }) {
      const { data, response } = await client
        .get(path, { query: { ...query }, signal, timeout: timeoutMs })
        .withResponse();
      return { body: data, headers: response.headers };
    },
    refusal(error) {
      if (!(error instanceof OpenAI.APIError) || error.status === undefined) return undefined;
      const {
        status,
        error: told,
        headers,
      } = error as { status: number; error: unknown; headers: Headers | undefined };
      return { kind: "fault", status, error: told, ...(headers !== undefined && { headers }) };
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
