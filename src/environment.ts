/** The environment variables that Errand knows: their shapes, their `_FILE` variants, and what must be set together. Pure but for files. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { ErrandError } from "./core/errors.ts";
import { GATEWAY_NAMES } from "./models/gateways.ts";
import { SECRET_SHAPE, secretKey } from "./scalekit/signature.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Problem {
  readonly name: string;
  readonly kind: "missing" | "invalid";
  /** Never holds a value. */
  readonly text: string;
}

/** An option of `createErrand`, or `model`, which is for agents. */
export type EnvGroup = "redis" | "scalekit" | "models" | "prefix" | "authorization" | "webhook" | "logger" | "model";

export type VariableName =
  | "REDIS_URL"
  | "SCALEKIT_ENV_URL"
  | "SCALEKIT_ENVIRONMENT_URL"
  | "SCALEKIT_CLIENT_ID"
  | "SCALEKIT_CLIENT_SECRET"
  | "SCALEKIT_WEBHOOK_SECRET"
  | "OPENAI_API_KEY"
  | "OPENAI_BASE_URL"
  | "OPENAI_PROTOCOL"
  | "OPENAI_GATEWAY"
  | "ANTHROPIC_API_KEY"
  | "ANTHROPIC_BASE_URL"
  | "ERRAND_PREFIX"
  | "ERRAND_BASE_URL"
  | "LOG_LEVEL"
  | "ERRAND_MODEL";

export type Values = Readonly<Partial<Record<VariableName, string>>>;

export const MODEL_SHAPE: string =
  'expected "profile/model", such as "openai/" and the name of a model that your provider has';

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const httpUrl = z
  .url({ protocol: /^https?$/, error: "expected an http or https URL", abort: true })
  .refine((url) => new URL(url).username + new URL(url).password === "", "expected a URL without user and password");
const printable = z.string().regex(/^[\x21-\x7e]+$/, "expected printable ASCII without spaces");

const VARIABLES: Readonly<Record<EnvGroup, Partial<Record<VariableName, z.ZodType<string>>>>> = {
  redis: {
    REDIS_URL: z.url({
      protocol: /^rediss?$/,
      error: "expected redis://user:password@host:port, or rediss:// for TLS",
    }),
  },
  scalekit: {
    SCALEKIT_ENV_URL: httpUrl,
    SCALEKIT_ENVIRONMENT_URL: httpUrl,
    SCALEKIT_CLIENT_ID: printable,
    SCALEKIT_CLIENT_SECRET: printable,
  },
  models: {
    OPENAI_API_KEY: printable,
    OPENAI_BASE_URL: httpUrl,
    OPENAI_PROTOCOL: z.enum(["chat", "responses", "messages"], "expected chat, responses or messages"),
    OPENAI_GATEWAY: z.enum(GATEWAY_NAMES, `expected one of ${GATEWAY_NAMES.join(", ")}`),
    ANTHROPIC_API_KEY: printable,
    ANTHROPIC_BASE_URL: httpUrl,
  },
  prefix: {
    ERRAND_PREFIX: z
      .string()
      .regex(/^[A-Za-z0-9_.:-]{1,64}$/, "expected 1 to 64 letters, digits, '_', '.', ':' or '-'"),
  },
  authorization: { ERRAND_BASE_URL: httpUrl },
  webhook: {
    SCALEKIT_WEBHOOK_SECRET: z.string().refine((text) => {
      const secrets = webhookSecrets(text);
      return [1, 2].includes(secrets.length) && secrets.every(secretKey);
    }, `${SECRET_SHAPE}, or two of them`),
  },
  logger: {
    LOG_LEVEL: z
      .string()
      .toLowerCase()
      .pipe(z.enum(LOG_LEVELS, `expected one of ${LOG_LEVELS.join(", ")}`)),
  },
  model: { ERRAND_MODEL: z.string().regex(/^[^/\s]+\/\S+$/, MODEL_SHAPE) },
};

/** Docker and Kubernetes hand out secrets as files: NAME_FILE names one that holds the value of NAME. */
const SECRETS: readonly string[] = [
  "REDIS_URL",
  "SCALEKIT_CLIENT_SECRET",
  "SCALEKIT_WEBHOOK_SECRET",
  "OPENAI_API_KEY",
  "ANTHROPIC_API_KEY",
];

/** While the secret is changed there are two, with white space between them. */
export function webhookSecrets(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

/**
 * @param needed variables that must be set, each with where its value comes from
 * @throws ErrandError `config-missing`, `config-invalid`: all problems of these groups at once
 */
export function readEnvironment(
  env: Environment,
  groups: readonly EnvGroup[],
  needed: Readonly<Partial<Record<VariableName, string>>> = {},
): Values {
  const values: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [name, schema] of groups.flatMap((group) => Object.entries<z.ZodType<string>>(VARIABLES[group]))) {
    const given = textOf(env, name);
    const parsed = given.text === undefined ? undefined : schema.safeParse(given.text);
    const text = given.problem ?? parsed?.error?.issues[0]?.message;
    if (text !== undefined) problems.push({ name, kind: "invalid", text });
    else if (parsed?.data !== undefined) values[name] = parsed.data;
  }
  const set = (name: string): boolean => name in values || problems.some((problem) => problem.name === name);
  problems.push(...twoUrls(values), ...halfSet(set));
  for (const [name, source] of Object.entries(needed)) {
    const either = name === "SCALEKIT_ENV_URL" && set("SCALEKIT_ENVIRONMENT_URL");
    if (!set(name) && !either) problems.push({ name, kind: "missing", text: `missing; ${source}` });
  }
  if (problems.length > 0) throw environmentError(problems);
  return values;
}

export function environmentError(problems: readonly Problem[]): ErrandError {
  const told = problems.map(({ name, text }) => `${name}: ${text}.`);
  const code = problems.every(({ kind }) => kind === "missing") ? "config-missing" : "config-invalid";
  const message = told.length === 1 ? `environment: ${told.join()}` : `environment:\n  ${told.join("\n  ")}`;
  return new ErrandError(code, message, { details: { variables: problems.map(({ name }) => name) } });
}

/** An empty variable is an unset one: lines of .env.example are copied as they are. */
function textOf(env: Environment, name: string): { readonly text?: string; readonly problem?: string } {
  const given = env[name] || undefined;
  const file = (SECRETS.includes(name) && env[`${name}_FILE`]) || undefined;
  if (file === undefined) return given === undefined ? {} : { text: given };
  if (given !== undefined) return { problem: `is set, and ${name}_FILE as well: keep one` };
  try {
    const text = readFileSync(file, "utf8").trim();
    return text === "" ? { problem: `the file that ${name}_FILE names is empty` } : { text };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { problem: `the file that ${name}_FILE names cannot be read (${code})` };
  }
}

function twoUrls(values: Values): Problem[] {
  const { SCALEKIT_ENV_URL: one, SCALEKIT_ENVIRONMENT_URL: other } = values;
  if (one === undefined || other === undefined || new URL(one).href === new URL(other).href) return [];
  const text = "differs from SCALEKIT_ENV_URL: keep one of the two";
  return [{ name: "SCALEKIT_ENVIRONMENT_URL", kind: "invalid", text }];
}

/** A group that is set in half is a mistake; one that is not set at all may be given elsewhere, or not be needed. */
function halfSet(set: (name: string) => boolean): Problem[] {
  const url = set("SCALEKIT_ENVIRONMENT_URL") ? "SCALEKIT_ENVIRONMENT_URL" : "SCALEKIT_ENV_URL";
  const scalekit = [url, "SCALEKIT_CLIENT_ID", "SCALEKIT_CLIENT_SECRET"];
  const there = scalekit.filter(set);
  const problems = there.length === 0 ? [] : scalekit.filter((name) => !set(name)).map((name) => missing(name, there));
  const keyless = "; for a server that wants no key, set any, such as none";
  const keys = ["OPENAI", "ANTHROPIC"].flatMap((name) =>
    set(`${name}_BASE_URL`) && !set(`${name}_API_KEY`)
      ? [missing(`${name}_API_KEY`, [`${name}_BASE_URL`], keyless)]
      : [],
  );
  return [...problems, ...keys];
}

function missing(name: string, there: readonly string[], hint = ""): Problem {
  const text = `missing, while ${there.join(" and ")} ${there.length > 1 ? "are" : "is"} set${hint}`;
  return { name, kind: "missing", text };
}
