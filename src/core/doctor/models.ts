/** Model endpoints: whether each answers and takes our key, for free; and with --live, one tiny answer of each model. */
import type { ModelReply } from "../messages.ts";
import { didYouMean } from "../nearest.ts";
import { type Check, checker } from "./check.ts";

/** What `GET …/models` brought, which costs nothing. */
export type Listing =
  | { readonly is: "invalid"; readonly problem: string }
  | { readonly is: "unreached"; readonly message: string }
  /** `models`: undefined where the answer is no list; many gateways have none. */
  | { readonly is: "answered"; readonly status: number; readonly tookMs: number; readonly models?: readonly string[] };

export interface ProfileFacts {
  readonly profile: string;
  readonly host: string;
  readonly listing: Listing;
  /** Names of the models that agents ask this profile for. */
  readonly wanted: readonly string[];
}

export interface TrialFacts {
  readonly profile: string;
  readonly model: string;
  /** It was offered a tool, as its agents have some. */
  readonly withTool: boolean;
  readonly reply: ModelReply;
}

const { ok, warning, failed, skipped } = checker("models");
const NO_MODELS = "Set OPENAI_API_KEY, and OPENAI_BASE_URL for a gateway: workers need a model.";

export function checkModels(profiles: readonly ProfileFacts[]): Check[] {
  if (profiles.length === 0) return [skipped("profiles", "no models are configured", NO_MODELS)];
  return profiles.flatMap((profile) => [checkProfile(profile), ...checkWanted(profile)]);
}

function checkProfile({ profile, host, listing }: ProfileFacts): Check {
  const name = `profile ${profile}`;
  if (listing.is === "invalid") return failed(name, listing.problem, "Correct it; the endpoint was not asked.");
  if (listing.is === "unreached")
    return failed(name, `${host}: ${listing.message}`, "Check the base URL and the way there.");
  const { status } = listing;
  const found = `${host} answers in ${Math.round(listing.tookMs)} ms`;
  if (status === 401 || status === 403)
    return failed(
      name,
      `${host} refuses the key (HTTP ${status})`,
      "Check the API key, and that it belongs to this base URL.",
    );
  if (status >= 500 || status === 429)
    return warning(name, `${found}, with HTTP ${status}`, "Try again in a while, or ask your provider.");
  if (listing.models !== undefined) return ok(name, `${found}, with ${listing.models.length} models`);
  return ok(name, `${found}, and has no list of models (HTTP ${status}); --live asks a model`);
}

/** Gateways answer to names that they do not list: no failure. */
function checkWanted({ profile, listing, wanted }: ProfileFacts): Check[] {
  const models = listing.is === "answered" ? listing.models : undefined;
  if (models === undefined || models.length === 0) return [];
  return wanted
    .filter((model) => !models.includes(model))
    .map((model) =>
      warning(
        `model ${profile}/${model}`,
        "is not on the endpoint's list",
        `See with --live whether it answers.${didYouMean(model, models)}`,
      ),
    );
}

const { ok: seen, warning: doubtful, failed: broken } = checker("live");

export function checkTrials(trials: readonly TrialFacts[]): Check[] {
  return trials.map(({ profile, model, withTool, reply }) => {
    const name = `model ${profile}/${model}`;
    if (reply.kind === "failure") return broken(name, reply.message, TODO[reply.class]);
    const { servedModel, tookMs, usage, costUsd } = reply;
    const cost = costUsd === undefined ? "" : `, $${costUsd}`;
    const found = `${servedModel} answered in ${tookMs} ms (${usage.input} tokens in, ${usage.output} out${cost})`;
    if (usage.input + usage.output > 0) return seen(name, withTool ? `${found}, and takes tools` : found);
    return doubtful(name, `${found}`, "It reports no usage: the tokens of runs cannot be told.");
  });
}

const TODO: Readonly<Record<Extract<ModelReply, { kind: "failure" }>["class"], string>> = {
  retry: "Try again in a while; if it stays, check the base URL.",
  "rate-limit": "Wait, or raise your limits at the provider.",
  billing: "Add credit at the provider.",
  credentials: "Check the API key, and that it may use this model.",
  context: "Use a model with a longer context: a question of some words was too long.",
  invalid: "Check the model's name, and the profile's features and extraBody.",
};
