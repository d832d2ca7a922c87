/** `errand doctor`: gathers what is configured and what the services say, and has it judged by core/doctor. */
import { askNames, SOURCES_MS } from "./boot.ts";
import { configFromEnv, ENV_PARTS, type Environment, type EnvPart } from "./config.ts";
import { loadConfig, type LoadOptions } from "./config-file.ts";
import type { Check } from "./core/doctor/check.ts";
import { diagnose, type Facts } from "./core/doctor/diagnose.ts";
import type { TrialFacts } from "./core/doctor/models.ts";
import type { ToolFacts } from "./core/doctor/tools.ts";
import type { RedisLooked } from "./core/doctor/redis.ts";
import { checkOneSource } from "./core/agents.ts";
import { modelsOf } from "./core/agent-models.ts";
import { ErrandError } from "./core/errors.ts";
import { lookAtProfile, tryModel } from "./models/doctor.ts";
import { type ErrandOptions, storeOptions } from "./options.ts";
import { clock } from "./parts.ts";
import { bullmqVersion, lookAtRedis } from "./queue/doctor.ts";
import type { ToolSource } from "./ports/toolbox.ts";
import { lookAtScalekit } from "./scalekit/doctor.ts";
import { findOut } from "./scalekit/findings.ts";
import { openOthers } from "./tool-sources.ts";

export type { Check, CheckResult } from "./core/doctor/check.ts";

export interface DoctorOptions extends Pick<LoadOptions, "file" | "cwd" | "env"> {
  /** Asks each model for one word, which costs a few tokens, and Scalekit what only the real service can answer. */
  readonly live?: boolean;
  /** With `live`: a user whose accounts are looked at. */
  readonly identifier?: string;
}

/** Checks a set-up from its config file to the services. Never prints or answers a secret; throws for nothing that it can tell. */
export async function checkUp({ live = false, identifier, ...where }: DoctorOptions = {}): Promise<readonly Check[]> {
  const { path, options, problems } = await loadAll(where);
  const { agents = [], models, authorization } = options;
  const asked = live && options.scalekit !== undefined ? options.scalekit : undefined;
  const [redis, looked, tools, profiles] = await Promise.all([
    redisOf(options),
    lookAtScalekit(options.scalekit, clock),
    lookAtSources(agents),
    Promise.all(
      Object.entries(models ?? {}).map(([name, profile]) => lookAtProfile(name, profile, namesIn(agents, name), clock)),
    ),
  ]);
  const reached = looked.is === "asked" && looked.token.ok;
  const facts: Facts = {
    setUp: {
      node: process.versions.node,
      bullmq: bullmqVersion(),
      ...(path !== undefined && { path }),
      problems,
      agents,
      ...(models !== undefined && { profiles: Object.keys(models) }),
    },
    redis,
    scalekit: { looked, agents, ...(authorization !== undefined && { baseUrl: authorization.baseUrl }) },
    tools,
    models: profiles,
    ...(live && { trials: await trials(agents, models ?? {}) }),
    ...(asked !== undefined &&
      reached && {
        findings: await findOut(asked, { agents, ...(identifier !== undefined && { identifier }) }, clock),
      }),
  };
  return diagnose(facts);
}

/** Definitions of tools, of whoever needs no user to tell them. Executes nothing. */
async function lookAtSources(agents: ErrandOptions["agents"]): Promise<ToolFacts> {
  const sources: ToolSource[] = [];
  try {
    checkOneSource(agents);
    const request = (): Promise<never> => Promise.reject(new Error("a doctor makes no request"));
    sources.push(...openOthers(agents, { request, manifest: undefined }));
    return { agents, told: await askNames(agents, sources, SOURCES_MS) };
  } catch (error) {
    return { agents, told: [], problem: inWords(error) };
  } finally {
    await Promise.all(sources.map(async (source) => source.close?.()));
  }
}

interface Loaded {
  readonly path?: string;
  readonly options: Partial<ErrandOptions>;
  readonly problems: readonly string[];
}

/** A config file that cannot be used leaves the environment, part by part: one mistake must not hide the others. */
async function loadAll(where: LoadOptions): Promise<Loaded> {
  try {
    const { path, options } = await loadConfig({ ...where, optional: true });
    return { ...(path !== undefined && { path }), options, problems: problemsOf(() => storeOptions(options)) };
  } catch (error) {
    const problem = inWords(error);
    const parts = ENV_PARTS.map((part) => partOf(where.env, part));
    return { options: Object.assign({}, ...parts) as Partial<ErrandOptions>, problems: [problem] };
  }
}

function partOf(env: Environment | undefined, part: EnvPart): Partial<ErrandOptions> {
  try {
    const { redis, ...others } = configFromEnv(env, [part]);
    return part === "redis" ? { redis } : others;
  } catch (error) {
    inWords(error); // it stands in the message about the whole
    return {};
  }
}

function problemsOf(check: () => unknown): string[] {
  try {
    check();
    return [];
  } catch (error) {
    return [inWords(error)];
  }
}

/** @throws what is not ours: a bug */
function inWords(error: unknown): string {
  if (error instanceof ErrandError) return error.message;
  throw error;
}

async function redisOf({ redis, prefix = "errand", durability }: Partial<ErrandOptions>): Promise<RedisLooked> {
  if (redis === undefined) return { problem: "REDIS_URL cannot be used" };
  try {
    const facts = await lookAtRedis(redis, prefix, clock);
    return { ...facts, ...(durability !== undefined && { wanted: durability.replicas }) };
  } catch (error) {
    return { problem: inWords(error) };
  }
}

function namesIn(agents: ErrandOptions["agents"], profile: string): string[] {
  const named = agents.flatMap((agent) => modelsOf(agent));
  return [...new Set(named.filter((one) => one.profile === profile).map((one) => one.model))];
}

/** One after the other: they share a rate limit. */
async function trials(
  agents: ErrandOptions["agents"],
  models: NonNullable<ErrandOptions["models"]>,
): Promise<TrialFacts[]> {
  const done: TrialFacts[] = [];
  for (const [name, profile] of Object.entries(models))
    for (const model of namesIn(agents, name)) {
      const users = agents.filter((agent) =>
        modelsOf(agent).some((one) => one.profile === name && one.model === model),
      );
      const withTool = users.some((agent) => agent.tools.length > 0);
      done.push(await tryModel(name, profile, model, withTool));
    }
  return done;
}
