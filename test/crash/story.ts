/**
 * The one run that all crash tests tell: look at the accounts, list mails (a read), two reads side by side, send a mail (unsafe), star a
 * mail (idempotent), then pay (keyed), publish (staged) and post (verifiable) one after the other, answer. And all the points at which
 * its worker can die.
 */
import { z } from "zod";
import { agent, type Agent } from "../../src/core/agent.ts";
import { DEFAULT_STORE, type StoreOptions } from "../../src/queue/store.ts";
import type { Effect } from "../../src/core/effects.ts";
import type { Op } from "./boundaries.ts";
import { SHOP, SHOP_TOOLS } from "./shop.ts";

/** By the order in which they are sent; the effects of Gmail's are those of the shipped manifest. */
export const CALLS: readonly { readonly id: string; readonly tool: string; readonly effect: Effect }[] = [
  { id: "t0c0", tool: "gmail_fetch_mails", effect: "read" },
  { id: "t1c0", tool: "gmail_get_profile", effect: "read" },
  { id: "t1c1", tool: "gmail_list_labels", effect: "read" },
  { id: "t2c0", tool: "gmail_send_message", effect: "unsafe" },
  { id: "t3c0", tool: "gmail_modify_message_labels", effect: "idempotent" },
  { id: "t4c0", tool: "shop_pay", effect: "keyed" },
  { id: "t4c1", tool: "shop_publish", effect: "staged" },
  { id: "t4c2", tool: "shop_post", effect: "verifiable" },
];

export const TURNS = 6;
/** One for each request to the model, one for each answer with its first calls, and one for each of the calls that wait for another. */
const COMMITS = 2 * TURNS + 2;
export const ANSWER = "Told and starred.";
/** Long enough for a crowded machine, short because a call's window is lease + this + grace. */
const TOOL_TIMEOUT_MS = 6_000;
/** Workers that may die at one step. */
export const CRASHES = 3;

export const storyAgent: Agent = agent({
  name: "story",
  model: "scripted/story",
  instructions: "Tell the story.",
  prompt: ({ identifier }) => `${identifier} wants the story.`,
  connections: ["gmail", SHOP],
  tools: [...CALLS.map(({ tool }) => tool).filter((tool) => tool.startsWith("gmail_")), ...SHOP_TOOLS],
  input: z.object({}),
  limits: { toolTimeoutMs: TOOL_TIMEOUT_MS, modelTimeoutMs: 60_000, crashes: CRASHES },
});

/** The same for all who open the store of a test. Ended runs expire soon, for a Redis that was given. */
export function storeOptions(leaseMs: number): StoreOptions {
  return { ...DEFAULT_STORE, leaseMs, keepMs: 600_000 };
}

/**
 * `before` and `after` the worker's call of a port. On the wire: `asked`, the server has the request and has done nothing yet; `done`, it
 * has done it, and the answer never comes back.
 */
export type When = "before" | "asked" | "done" | "after";

/** The `nth` call (from 1) of a port on behalf of one run, counted in one process. */
export interface Point {
  readonly op: Op;
  readonly nth: number;
  readonly when: When;
}

/** How often an undisturbed run calls each port. matrix.test.ts counts them, so that the matrix cannot shrink unseen. */
export const COUNTS: Readonly<Record<Op, number>> = {
  claim: 1,
  version: 2,
  look: 1,
  list: 1,
  commit: COMMITS,
  model: TURNS,
  send: CALLS.length,
  evidence: CALLS.length,
};

const WHENS: Readonly<Partial<Record<Op, readonly When[]>>> = {
  model: ["before", "asked", "after"],
  send: ["before", "asked", "done", "after"],
};

export const POINTS: readonly Point[] = Object.entries(COUNTS).flatMap(([name, count]) => {
  const op = name as Op;
  return Array.from({ length: count }, (_, i) => i + 1).flatMap((nth) =>
    (WHENS[op] ?? (["before", "after"] as const)).map((when) => ({ op, nth, when })),
  );
});

export function nameOf({ op, nth, when }: Point): string {
  return `${op}:${nth}:${when}`;
}

/** @throws Error on a text that is none of a point's name */
export function pointOf(name: string): Point {
  const [op = "", nth = "", when = ""] = name.split(":");
  if (!(op in COUNTS) || !/^[1-9]\d*$/.test(nth) || !/^(before|asked|done|after)$/.test(when))
    throw new Error(`crash point: expected a name such as commit:3:after, got ${JSON.stringify(name)}`);
  return { op: op as Op, nth: Number(nth), when: when as When };
}

/** A point inside the worker, rather than at a server that it asks. */
export interface InnerPoint extends Point {
  readonly when: "before" | "after";
}

export function isInner(point: Point): point is InnerPoint {
  return point.when === "before" || point.when === "after";
}

/**
 * Where a run waits until all others are at their points: at its own one, or, on its way to a server, right after the commit that comes
 * before. A server that holds an answer must not do so for long, or the worker gives up. Counted from the run's start.
 */
export function waitingPoint(point: Point): InnerPoint {
  if (isInner(point)) return point;
  const isModel = point.op === "model";
  const turn = isModel ? point.nth - 1 : turnOf(CALLS[point.nth - 1]?.id ?? "");
  const alone = CALLS.filter(({ id, effect }, i) => {
    const isBefore = isModel ? turnOf(id) < turn : i < point.nth;
    return isBefore && effect !== "read" && !id.endsWith("c0");
  });
  return { op: "commit", nth: 2 * turn + (isModel ? 1 : 2) + alone.length, when: "after" };
}

function turnOf(call: string): number {
  return Number(call[1]);
}

/** Whether it happened is asked of the provider, which must have had the time to do what it was asked for. */
export function isLookedAfter({ op, nth }: Point): boolean {
  const effect = op === "send" ? CALLS[nth - 1]?.effect : undefined;
  return effect === "staged" || effect === "verifiable";
}

/**
 * For a zombie that wakes while another worker has the run: where it holds a claim, and the run has not ended. Not before a send: the
 * time it slept is taken from the send's own, so what happens there depends on how long that was.
 */
export const AMID: readonly Point[] = POINTS.filter(
  (point) =>
    isInner(point) &&
    nameOf(point) !== "claim:1:before" &&
    nameOf(point) !== `commit:${COMMITS}:after` &&
    !(point.op === "send" && point.when === "before"),
);

/** Deaths in a row: in flight with each effect, and then at each boundary of the recovery, which another process counts anew. */
export const TWICE: readonly (readonly [Point, Point])[] = [
  ...after("send:1:after", ["claim:1:before", "claim:1:after", "commit:1:before", "commit:1:after", "send:1:before"]),
  ...after("send:1:after", ["send:1:after", "evidence:1:before", "evidence:1:after", "commit:2:before"]),
  ...after("send:4:after", ["claim:1:before", "claim:1:after", "commit:1:before", "commit:1:after", "claim:2:before"]),
  ...after("send:4:after", ["claim:2:after", "commit:2:before", "commit:2:after", "model:1:before", "model:1:after"]),
  ...after("send:5:after", ["claim:1:before", "claim:1:after", "commit:1:before", "commit:1:after", "claim:2:before"]),
  ...after("send:5:after", ["claim:2:after", "commit:2:before", "commit:2:after", "send:1:before"]),
  ...after("send:5:after", ["send:1:after", "evidence:1:before", "evidence:1:after", "commit:3:before"]),
  ...after("send:6:after", ["claim:2:after", "commit:2:after", "send:1:before", "send:1:after", "evidence:1:before"]),
  // It was executed, and the look says so.
  ...after("send:7:after", ["claim:2:after", "commit:2:before", "commit:2:after", "send:1:before", "send:1:after"]),
  ...after("send:7:after", ["evidence:1:before", "evidence:1:after", "commit:3:before", "commit:3:after"]),
  // It was not, so it is made after the look.
  ...after("send:8:before", [
    "commit:2:after",
    "send:1:after",
    "evidence:1:after",
    "commit:3:before",
    "commit:3:after",
  ]),
  ...after("send:8:before", ["send:2:before", "send:2:after", "evidence:2:before", "evidence:2:after"]),
];

function after(first: string, seconds: readonly string[]): (readonly [Point, Point])[] {
  return seconds.map((second) => [pointOf(first), pointOf(second)]);
}
