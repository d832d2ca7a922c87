/** What a test tells a worker process of its own, and what that tells back: JSON over Node's channel. */
import type { Op } from "./boundaries.ts";
import type { InnerPoint } from "./story.ts";

/** Its one argument, as JSON: where everything is. */
export interface Surroundings {
  readonly redis: string;
  readonly scalekit: { readonly envUrl: string; readonly clientId: string; readonly clientSecret: string };
  readonly model: { readonly baseURL: string; readonly apiKey: string };
  readonly leaseMs: number;
}

/** Where a run is to be held; without `at` nowhere in this process. */
export interface Held {
  readonly run: string;
  readonly identifier: string;
  readonly at?: InnerPoint;
}

export type Order =
  /** Works the runs of the store with this prefix. */
  | { readonly do: "work"; readonly prefix: string; readonly concurrency: number; readonly holds: readonly Held[] }
  /** Lets these held runs go on, or all; or throws at their boundaries. They are not held again. */
  | { readonly do: "release"; readonly how: "go" | "throw"; readonly runs?: readonly string[] }
  /** SIGSTOP, and once it is awake again all held runs go on at once, before anything else in this process. */
  | { readonly do: "sleep" }
  /** How long steps under way may take once SIGTERM has come, ms. */
  | { readonly do: "patience"; readonly ms: number }
  | { readonly do: "exit"; readonly code: number };

export type Counts = Readonly<Record<string, Partial<Record<Op, number>>>>;

export type Report =
  /** Loaded, and waits for orders. */
  | { readonly is: "ready" }
  | { readonly is: "working"; readonly prefix: string }
  | { readonly is: "held"; readonly run: string }
  | { readonly is: "log"; readonly line: string }
  /** SIGTERM came; it takes no more runs. */
  | { readonly is: "stopping" }
  /** The last one of a worker that was stopped by SIGTERM: its calls of each port, by run (or identifier). */
  | { readonly is: "stopped"; readonly counts: Counts };

/** The name by which the journal knows the worker of that process. */
export function workerName(pid: number): string {
  return `crash:${pid}`;
}
