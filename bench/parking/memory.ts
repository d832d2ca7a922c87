/** What a parked run weighs in Redis, and whose bytes they are. */
import type { Store } from "../../src/queue/store.ts";
import { median } from "../floor/figures.ts";
import { CONNECTION, deskAgent } from "../floor/scene.ts";
import { gateOf } from "./lot.ts";

/** Bytes per run. */
export interface Weight {
  /** What `used_memory` grew by, without buffers of clients and of the append-only file. */
  readonly all: number;
  /** MEMORY USAGE of its header and journal; median of a sample. */
  readonly run: number;
  /** Of its account's keys (gate, waiters, needs, and the identifier's indexes), shared by the runs of the account. */
  readonly account: number;
  /** Of what all runs share: lists, next looks, rounds, and the events. */
  readonly shared: number;
}

const SAMPLE = 50;

/** @param each runs of one account */
export async function weigh(
  { redis, prefix }: Store,
  { grown, runs, each, identifier }: { grown: number; runs: readonly string[]; each: number; identifier: Identifier },
): Promise<Weight> {
  const sizeOf = async (names: readonly string[]): Promise<number> => {
    const sizes = await Promise.all(names.map((name) => redis.memory("USAGE", prefix + name, "SAMPLES", 1_000)));
    return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  };
  const sampled = <T>(all: readonly T[]): T[] => all.filter((_, i) => i % Math.ceil(all.length / SAMPLE) === 0);
  const users = [...new Set(sampled(runs.map((_, i) => i)).map(identifier))];
  const ofRun = await Promise.all(sampled(runs).map((run) => sizeOf([`run:${run}`, `run:${run}:j`])));
  const ofAccount = await Promise.all(users.map((user) => sizeOf(keysOfAccount(user))));
  const shared = await sizeOf(sharedKeys());
  return {
    all: grown / runs.length,
    run: median(ofRun),
    account: median(ofAccount) / each,
    shared: shared / runs.length,
  };
}

export type Identifier = (i: number) => string;

function keysOfAccount(identifier: string): string[] {
  const gate = gateOf(identifier);
  return [
    `gate:${gate}`,
    `gate:${gate}:w`,
    `auth:${gate}`,
    `auth:${gate}:n`,
    `auths:identifier:${identifier}`,
    `runs:identifier:${identifier}`,
    `unfinished:${deskAgent.name}:${identifier}`,
  ];
}

function sharedKeys(): string[] {
  const ofRuns = ["runs:all", "runs:status:parked", `runs:agent:${deskAgent.name}`, "looks", "events"];
  return [...ofRuns, `sweep:${CONNECTION}`, "auths", `auths:connection:${CONNECTION}`];
}
