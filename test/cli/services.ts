/** What the commands talk to: emulated Scalekit and model over the wire, a real Redis with a prefix of its own, and the environment that names them. */
import type { TestContext } from "node:test";
import {
  removeKeys,
  type ScalekitEmulator,
  type ScalekitEmulatorOptions,
  type Script,
  type ScriptedModel,
  startScalekitEmulator,
  startScriptedModel,
} from "../../src/testing/index.ts";
import { redisUrl, testPrefix } from "../support/store.ts";

export interface Services {
  readonly scalekit: ScalekitEmulator;
  readonly model: ScriptedModel;
  readonly redis: string;
  readonly prefix: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ServicesOptions {
  readonly scalekit?: ScalekitEmulatorOptions;
  readonly script?: Script;
}

export async function services(t: TestContext, options: ServicesOptions = {}): Promise<Services> {
  const scalekit = await startScalekitEmulator({ connections: ["gmail"], ...options.scalekit });
  const model = await startScriptedModel(options.script === undefined ? {} : { script: options.script });
  const [redis, prefix] = [redisUrl(), testPrefix()];
  t.after(async () => {
    await Promise.all([scalekit.close(), model.close()]);
    await removeKeys(redis, prefix);
  });
  const env = {
    REDIS_URL: redis,
    ERRAND_PREFIX: prefix,
    SCALEKIT_ENV_URL: scalekit.url,
    SCALEKIT_CLIENT_ID: scalekit.clientId,
    SCALEKIT_CLIENT_SECRET: scalekit.clientSecret,
    OPENAI_API_KEY: model.apiKey,
    OPENAI_BASE_URL: model.url,
    ERRAND_MODEL: "openai/scripted",
  };
  return { scalekit, model, redis, prefix, env };
}
