/** What a process of the torture is told at its start, as its one argument: JSON. */
import type { ErrandOptions } from "../../src/index.ts";
import { AGENTS } from "./agents.ts";

export interface Surroundings {
  /** Through the proxy. */
  readonly redis: string;
  readonly prefix: string;
  readonly scalekit: { readonly envUrl: string; readonly clientId: string; readonly clientSecret: string };
  readonly model: { readonly baseURL: string; readonly apiKey: string };
  readonly leaseMs: number;
  readonly concurrency: number;
}

/** What a worker process tells its parent. */
export type Report = "working" | "not-started";

/** Runs that one identifier may have at once. */
export const CAP = 3;

/** The same for all who open the store: workers and the app. */
export function errandOptions({ redis, prefix, scalekit, model, leaseMs }: Surroundings): ErrandOptions {
  return {
    redis,
    prefix,
    scalekit,
    models: { scripted: model },
    agents: AGENTS,
    leaseMs,
    sweepMs: 500,
    perIdentifier: CAP,
    // Accounts are lost and given back all the time; that is no outage of their provider.
    massLoss: false,
  };
}
