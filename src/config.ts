/** The environment as options of `createErrand`, and the type of errand.config.ts. The only reader of process.env. */
import { type Logger, pino } from "pino";
import {
  type Environment,
  environmentError,
  MODEL_SHAPE,
  readEnvironment,
  type Values,
  type VariableName,
  webhookSecrets,
} from "./environment.ts";
import type { ModelProfile } from "./models/protocols.ts";
import type { ErrandOptions } from "./options.ts";

export type { Environment } from "./environment.ts";

/** An option of `createErrand` that the environment can give. */
export type EnvPart = "redis" | "scalekit" | "models" | "prefix" | "authorization" | "webhook" | "logger";
export type EnvOptions = Pick<ErrandOptions, Exclude<EnvPart, "redis">> & { readonly redis: string };

export const ENV_PARTS: readonly EnvPart[] = [
  "redis",
  "scalekit",
  "models",
  "prefix",
  "authorization",
  "webhook",
  "logger",
];

/** What errand.config.ts exports: the agents, and whatever else the environment does not give. */
export type ErrandConfig = Pick<ErrandOptions, "agents"> & Partial<ErrandOptions>;
export type ErrandConfigInput = ErrandConfig | (() => ErrandConfig | Promise<ErrandConfig>);

/** Types the default export of errand.config.ts. The parts that it leaves out come from the environment, as with `configFromEnv`. */
export function defineConfig<C extends ErrandConfigInput>(config: C): C {
  return config;
}

/**
 * The environment as options: `createErrand({ ...configFromEnv(), agents })`. An empty variable is an unset one.
 * - REDIS_URL, default `redis://127.0.0.1:6379`
 * - SCALEKIT_ENV_URL (or SCALEKIT_ENVIRONMENT_URL), SCALEKIT_CLIENT_ID, SCALEKIT_CLIENT_SECRET: all or none
 * - OPENAI_API_KEY, OPENAI_BASE_URL: the model profile `openai`. A gateway differs in OPENAI_BASE_URL and nothing else.
 *   OPENAI_PROTOCOL: `chat` (default), `responses` or `messages`
 *   OPENAI_GATEWAY: `fastrouter`, `openrouter`, `litellm`, `gemini`, `vllm`; by default recognised by the host of OPENAI_BASE_URL
 * - ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: the model profile `anthropic`, which speaks Anthropic's messages
 * - ERRAND_PREFIX; ERRAND_BASE_URL, which is `authorization.baseUrl`; LOG_LEVEL, which makes a logger of JSON lines on stderr
 * - SCALEKIT_WEBHOOK_SECRET: `webhook.secrets`; two, with a space between them, while it is changed
 * - REDIS_URL_FILE, SCALEKIT_CLIENT_SECRET_FILE, SCALEKIT_WEBHOOK_SECRET_FILE, OPENAI_API_KEY_FILE, ANTHROPIC_API_KEY_FILE: names of files that hold the value
 * @param parts only these are read and checked
 * @throws ErrandError `config-missing`, `config-invalid`: all problems at once, by variable, never with a value
 */
export function configFromEnv(env: Environment = process.env, parts: readonly EnvPart[] = ENV_PARTS): EnvOptions {
  const values = readEnvironment(env, parts);
  const { REDIS_URL: redis = "redis://127.0.0.1:6379", ERRAND_PREFIX: prefix, ERRAND_BASE_URL: baseUrl } = values;
  const { SCALEKIT_CLIENT_ID: clientId, SCALEKIT_CLIENT_SECRET: clientSecret, SCALEKIT_ENVIRONMENT_URL } = values;
  const { SCALEKIT_ENV_URL: envUrl = SCALEKIT_ENVIRONMENT_URL } = values;
  const { LOG_LEVEL: level, SCALEKIT_WEBHOOK_SECRET } = values;
  const models = modelProfiles(values);
  return {
    redis,
    ...(envUrl && clientId && clientSecret && { scalekit: { envUrl, clientId, clientSecret } }),
    ...(Object.keys(models).length > 0 && { models }),
    ...(prefix && { prefix }),
    ...(baseUrl && { authorization: { baseUrl } }),
    ...(SCALEKIT_WEBHOOK_SECRET && { webhook: { secrets: webhookSecrets(SCALEKIT_WEBHOOK_SECRET) } }),
    ...(level && { logger: jsonLogger(level) }),
  };
}

function modelProfiles(values: Values): Record<string, ModelProfile> {
  const {
    OPENAI_API_KEY: key,
    OPENAI_BASE_URL: url,
    OPENAI_PROTOCOL: protocol = "chat",
    OPENAI_GATEWAY: gateway,
  } = values;
  const { ANTHROPIC_API_KEY: anthropicKey, ANTHROPIC_BASE_URL: anthropicUrl } = values;
  const openai = {
    apiKey: key,
    ...(url && { baseURL: url }),
    ...(protocol !== "chat" && { protocol }),
    ...(gateway && { gateway }),
  };
  return {
    // Both words were checked as they were read.
    ...(key && { openai: openai as ModelProfile }),
    ...(anthropicKey && {
      anthropic: { protocol: "messages", apiKey: anthropicKey, ...(anthropicUrl && { baseURL: anthropicUrl }) },
    }),
  };
}

/**
 * The model that ERRAND_MODEL names, as `profile/model`: `agent({ model: defaultModel(), … })`. Errand itself prefers none.
 * @throws ErrandError `config-missing`, `config-invalid`
 */
export function defaultModel(env: Environment = process.env): string {
  const { ERRAND_MODEL: model } = readEnvironment(env, ["model"]);
  if (model !== undefined) return model;
  throw environmentError([{ name: "ERRAND_MODEL", kind: "missing", text: `missing; ${MODEL_SHAPE}` }]);
}

/** What a run against the real services needs. */
export interface LiveConfig extends Required<Pick<EnvOptions, "redis" | "scalekit" | "models">> {
  /** ERRAND_MODEL: `openai/…` or `anthropic/…`. */
  readonly model: string;
}

const CREDENTIALS = "see Scalekit's dashboard, API credentials";
const LIVE_NEEDS = {
  SCALEKIT_ENV_URL: CREDENTIALS,
  SCALEKIT_CLIENT_ID: CREDENTIALS,
  SCALEKIT_CLIENT_SECRET: CREDENTIALS,
};

/** That of the profile that the model belongs to; of one that there is not, its own check tells more. */
function keyFor(model: string | undefined): Readonly<Partial<Record<VariableName, string>>> {
  return model?.startsWith("anthropic/")
    ? { ANTHROPIC_API_KEY: "the key of Anthropic, or of the gateway that ANTHROPIC_BASE_URL names" }
    : { OPENAI_API_KEY: "the key of OpenAI, or of the gateway that OPENAI_BASE_URL names" };
}

/** @throws ErrandError `config-missing`, `config-invalid`: everything that is missing or wrong at once, never with a value */
export function liveFromEnv(env: Environment = process.env): LiveConfig {
  const needs = { ...LIVE_NEEDS, ...keyFor(env["ERRAND_MODEL"]), ERRAND_MODEL: MODEL_SHAPE };
  const { ERRAND_MODEL: model } = readEnvironment(env, ["redis", "scalekit", "models", "model"], needs);
  const { redis, scalekit, models } = configFromEnv(env, ["redis", "scalekit", "models"]);
  if (scalekit === undefined || models === undefined || model === undefined)
    throw new Error("nothing was found missing, but something is");
  return { redis, scalekit, models, model };
}

/** On stderr, so that what a command says on stdout stays apart. */
function jsonLogger(level: string): Logger {
  return pino({ name: "errand", level }, pino.destination(2));
}
