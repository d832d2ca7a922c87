/** What `errand doctor` asks a model endpoint: its list of models, which is free; and with --live one tiny answer. */
import type { Listing, ProfileFacts, TrialFacts } from "../core/doctor/models.ts";
import { ErrandError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import { type ModelProfile, modelOf, resolveProfile } from "./protocols.ts";

const DEFAULT_URL = "https://api.openai.com/v1";
const ANTHROPIC_URL = "https://api.anthropic.com/v1";
const LIST_MS = 10_000;
const TRIAL_MS = 60_000;

/** @param wanted names of the models that agents ask it for. Never throws */
export async function lookAtProfile(
  name: string,
  profile: ModelProfile,
  wanted: readonly string[],
  clock: Clock,
): Promise<ProfileFacts> {
  const factsOf = (url: string): Omit<ProfileFacts, "listing"> => ({
    profile: name,
    host: URL.canParse(url) ? new URL(url).host : "",
    wanted,
  });
  try {
    const resolved = resolveProfile(profile);
    const url = urlOf(resolved);
    return { ...factsOf(url), listing: await list(`${url.replace(/\/+$/, "")}/models`, resolved, clock) };
  } catch (error) {
    if (!(error instanceof ErrandError)) throw error;
    return { ...factsOf(urlOf(profile)), listing: { is: "invalid", problem: error.message } };
  }
}

/** With /v1, which Anthropic's SDK adds by itself. */
function urlOf({ protocol, baseURL }: ModelProfile): string {
  if (protocol !== "messages") return baseURL ?? DEFAULT_URL;
  return baseURL === undefined ? ANTHROPIC_URL : baseURL.replace(/\/(v1\/?)?$/, "").concat("/v1");
}

function keyHeaders(profile: ModelProfile): Record<string, string> {
  const { apiKey } = profile;
  if (profile.protocol !== "messages" || profile.features?.apiKeyHeader !== true)
    return {
      authorization: `Bearer ${apiKey}`,
      ...(profile.protocol === "messages" && { "anthropic-version": "2023-06-01" }),
    };
  return { "x-api-key": apiKey, "anthropic-version": "2023-06-01" };
}

async function list(url: string, profile: ModelProfile, clock: Clock): Promise<Listing> {
  const started = clock.monotonic();
  try {
    const response = await fetch(url, {
      headers: { ...keyHeaders(profile), accept: "application/json", ...profile.headers },
      // The key goes to the configured address and to no other.
      redirect: "error",
      signal: AbortSignal.timeout(LIST_MS),
    });
    const body: unknown = await response.json().catch(() => undefined);
    const models = response.ok ? namesOf(body) : undefined;
    const tookMs = clock.monotonic() - started;
    return { is: "answered", status: response.status, tookMs, ...(models !== undefined && { models }) };
  } catch (error) {
    // fetch's message says nothing, and its cause may quote the request: the code is enough.
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const name = error instanceof Error ? error.name : "error";
    return { is: "unreached", message: `no answer (${code === "" ? name : code})` };
  }
}

function namesOf(body: unknown): string[] | undefined {
  const data = isObject(body) ? body["data"] : undefined;
  if (!Array.isArray(data)) return undefined;
  return data.map((one: unknown) => (isObject(one) ? one["id"] : undefined)).filter((id) => typeof id === "string");
}

/** Enough for a word, also from a model that thinks first; and if not, a cut answer is an answer. */
const MOST_TOKENS = 64;

/** Asks for one word. Costs a few tokens. @param withTool offers a tool, for models that take none. Never throws */
export async function tryModel(
  name: string,
  profile: ModelProfile,
  model: string,
  withTool: boolean,
): Promise<TrialFacts> {
  const bounded = { ...profile, maxOutputTokens: Math.min(profile.maxOutputTokens ?? MOST_TOKENS, MOST_TOKENS) };
  const noop = {
    name: "do_nothing",
    description: "Does nothing. Never needed.",
    parameters: { type: "object", properties: {} },
  };
  const reply = await modelOf(bounded).respond(
    {
      profile: name,
      model,
      system: "",
      messages: [{ role: "user", text: "Answer with the word: ok" }],
      tools: withTool ? [noop] : [],
      toolChoice: "auto",
    },
    { timeoutMs: TRIAL_MS, signal: new AbortController().signal },
  );
  return { profile: name, model, withTool, reply };
}
