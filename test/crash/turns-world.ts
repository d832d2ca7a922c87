/** What the workers of turns.test.ts and the test itself agree upon: caps of all kinds, small enough that each of them is reached. */
import { z } from "zod";
import { type Agent, agent, type ErrandOptions } from "../../src/index.ts";

export interface TurnsSurroundings {
  readonly redis: string;
  readonly prefix: string;
  readonly scalekit: { readonly envUrl: string; readonly clientId: string; readonly clientSecret: string };
  readonly model: { readonly baseURL: string; readonly apiKey: string };
}

export const CAPS = { perIdentifier: 2, perTenant: 3, maxLive: 6, bulk: 1 } as const;

const common = { model: "openai/scripted", instructions: "Answer.", input: z.object({ n: z.number() }) };

export const note: Agent = agent({ ...common, name: "note", limits: { crashes: 50 } });
export const bulk: Agent = agent({ ...common, name: "bulk", perIdentifier: CAPS.bulk, limits: { crashes: 50 } });

export function turnsOptions({ redis, prefix, scalekit, model }: TurnsSurroundings): ErrandOptions {
  const { perIdentifier, perTenant, maxLive } = CAPS;
  return {
    redis,
    prefix,
    scalekit,
    models: { openai: model },
    agents: [note, bulk],
    leaseMs: 1_000,
    perIdentifier,
    perTenant,
    maxLive,
  };
}
