/** Finds errand.config.ts, loads it, and completes it from the environment and from errand.tools.json. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  configFromEnv,
  ENV_PARTS,
  type Environment,
  type ErrandConfig,
  type LiveConfig,
  liveFromEnv,
} from "./config.ts";
import { ErrandError, type ErrorCode } from "./core/errors.ts";
import { MANIFEST_FILE, parseManifest, type ToolManifest } from "./core/manifest.ts";
import type { ErrandOptions } from "./options.ts";

export interface LoadOptions {
  /** Default: the first errand.config.ts (.mts, .js, .mjs) in `cwd` or a folder above it. */
  readonly file?: string | undefined;
  readonly cwd?: string;
  /** Default: that of the process, completed from `.env`. */
  readonly env?: Environment;
  /** When neither the file nor LOG_LEVEL says. Default: that of `createErrand`. */
  readonly logLevel?: string;
  /** Without a file the environment alone counts, and there are no agents. Default false: that is an error. */
  readonly optional?: boolean;
  /** What must be there, in the file or in the environment. */
  readonly needs?: readonly ("scalekit" | "models")[];
}

export interface LoadedConfig {
  /** Where it was found. */
  readonly path?: string;
  /** errand.tools.json beside it, also when there is none yet. Absent when the config gives its `manifest` itself. */
  readonly manifestPath?: string;
  readonly options: ErrandOptions;
}

/**
 * Finds, loads and completes errand.config.ts; reads a `.env` beside it first, and errand.tools.json unless it gives a `manifest`.
 * @throws ErrandError `config-missing`, `config-invalid`; an ErrandError of the file itself, with its path
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const { cwd = process.cwd(), needs = [] } = options;
  const path = options.file === undefined ? findConfig(cwd) : resolve(cwd, options.file);
  if (path === undefined && options.optional !== true) throw notFound(cwd);
  if (path !== undefined && !existsSync(path))
    throw new ErrandError("config-missing", `--config: there is no file ${path}.`);
  if (options.env === undefined) loadDotEnv(path === undefined ? cwd : dirname(path));
  const given: ErrandConfig = path === undefined ? { agents: [] } : await readConfig(path);
  const complete = completed(given, options);
  const missing = needs.filter((need) => complete[need] === undefined);
  if (missing.length > 0) throw notGiven(missing, path);
  if (path === undefined) return { options: complete };
  if (complete.manifest !== undefined) return { path, options: complete };
  const manifestPath = join(dirname(path), MANIFEST_FILE);
  const manifest = await readManifest(manifestPath);
  return { path, manifestPath, options: { ...complete, ...(manifest !== undefined && { manifest }) } };
}

/** `liveFromEnv` after a `.env` in `cwd`, which is left alone when `env` is given. @throws what `liveFromEnv` throws */
export function loadLiveConfig({ cwd = process.cwd(), env }: Pick<LoadOptions, "cwd" | "env"> = {}): LiveConfig {
  if (env === undefined) loadDotEnv(cwd);
  return liveFromEnv(env);
}

/** A `.env` beside the file, or in `cwd` without one. What the environment already says stays. */
function loadDotEnv(folder: string): void {
  const path = join(folder, ".env");
  if (existsSync(path)) process.loadEnvFile(path);
}

/** What the file gives is not looked for in the environment, so that a stray variable there does no harm. */
function completed(given: ErrandConfig, { env, logLevel }: LoadOptions): ErrandOptions {
  const parts = ENV_PARTS.filter((part) => given[part] === undefined);
  const fromEnv = configFromEnv(env, parts);
  const withLogger = fromEnv.logger === undefined && given.logger === undefined && logLevel !== undefined;
  const { logger } = withLogger ? configFromEnv({ LOG_LEVEL: logLevel }, ["logger"]) : fromEnv;
  return { ...fromEnv, ...(logger !== undefined && { logger }), ...given };
}

const NAMES = ["errand.config.ts", "errand.config.mts", "errand.config.js", "errand.config.mjs"];

function findConfig(cwd: string): string | undefined {
  return foldersUpward(cwd)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

function foldersUpward(from: string): string[] {
  const folder = resolve(from);
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersUpward(above)];
}

/** @returns nothing when there is no such file */
async function readManifest(path: string): Promise<ToolManifest | undefined> {
  if (!existsSync(path)) return undefined;
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw invalid(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  });
  return parseManifest(text, path);
}

async function readConfig(path: string): Promise<ErrandConfig> {
  try {
    const exported = unwrapped(await importFile(path));
    const config: unknown = typeof exported === "function" ? await (exported as () => unknown)() : exported;
    return checked(config, path);
  } catch (error) {
    throw explained(error, path);
  }
}

/**
 * With tsx, for TypeScript on every Node. `register` and a plain import: `tsImport` would give the file a second instance of errand.
 * It stays registered, because agents may import more later. The second registration is for files in CommonJS folders.
 */
async function importFile(path: string): Promise<unknown> {
  const [esm, cjs] = await Promise.all([import("tsx/esm/api"), import("tsx/cjs/api")]);
  esm.register();
  cjs.register();
  return import(pathToFileURL(path).href);
}

/** A default export, or the double one that interop makes of a file in a CommonJS folder. */
function unwrapped(module: unknown): unknown {
  let exported = module;
  for (let depth = 0; depth < 2 && isObject(exported) && "default" in exported; depth++) exported = exported["default"];
  return exported === module ? undefined : exported;
}

function checked(config: unknown, path: string): ErrandConfig {
  if (!isObject(config))
    throw invalid(
      path,
      `expected \`export default defineConfig({ agents: […] })\`, got ${config === undefined ? "no default export" : typeof config}.`,
    );
  const { agents } = config;
  if (!Array.isArray(agents) || agents.length === 0)
    throw invalid(
      path,
      `agents: expected at least one agent({ … }), got ${Array.isArray(agents) ? "an empty list" : typeof agents}.`,
    );
  const odd = agents.findIndex((agent) => !isObject(agent) || typeof agent["name"] !== "string" || !agent["limits"]);
  if (odd >= 0) throw invalid(path, `agents[${odd}]: expected what agent({ … }) returns.`);
  return config as unknown as ErrandConfig;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Ours say what to do and need no stack; theirs are found by it, down to where we called them. */
function explained(error: unknown, path: string): ErrandError {
  if (isErrandError(error))
    return error.message.startsWith(path) ? error : wrapped(error.code, `${path}: ${error.message}`, error);
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = told.split("\n");
  const ours = lines.findIndex(
    (line) => line.includes(import.meta.url) || line.includes(fileURLToPath(import.meta.url)),
  );
  const theirs = lines.slice(0, ours < 0 ? undefined : ours);
  const frames = theirs.filter((line) => !/^\s+at .*(\(|\s)(node:|.*\/node_modules\/tsx\/)/.test(line));
  return wrapped("config-invalid", `${path} failed while it was loaded:\n${frames.join("\n")}`, error);
}

/** By name: a file in a CommonJS folder has an instance of errand of its own. */
function isErrandError(error: unknown): error is ErrandError {
  return error instanceof Error && error.name === "ErrandError" && "code" in error;
}

function wrapped(code: ErrorCode, message: string, cause: unknown): ErrandError {
  return new ErrandError(code, message, { cause });
}

function invalid(path: string, message: string): ErrandError {
  return new ErrandError("config-invalid", `${path}: ${message}`);
}

function notGiven(missing: readonly ("scalekit" | "models")[], path: string | undefined): ErrandError {
  const variables = {
    scalekit: "SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET",
    models: "OPENAI_API_KEY (and OPENAI_BASE_URL for a gateway)",
  };
  const told = missing.map((name) => `${name}: set ${variables[name]}`);
  return new ErrandError(
    "config-missing",
    `${told.join("; ")}; or give ${missing.join(" and ")} in ${path ?? "errand.config.ts"}.`,
  );
}

function notFound(cwd: string): ErrandError {
  const folders = foldersUpward(cwd).join(", ");
  return new ErrandError(
    "config-missing",
    `Found no errand.config.ts (.mts, .js, .mjs) in ${folders}. Write one, or name it with --config:\n\n${EXAMPLE}`,
  );
}

const EXAMPLE = `  import { agent, defaultModel, defineConfig } from "errand";
  import { z } from "zod";

  const greeter = agent({
    name: "greeter",
    model: defaultModel(), // ERRAND_MODEL
    instructions: "Greet the user by name.",
    input: z.object({ name: z.string() }),
  });
  export default defineConfig({ agents: [greeter] });`;
