/** Who waits for a slot, in which order, and what keeps them: for whoever asks at night why nothing goes on. */
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import { ErrandError } from "../core/errors.ts";
import { checkIdentifier } from "../core/identifier.ts";
import type { Store } from "./store.ts";

export interface LineFilter {
  readonly identifier?: string;
  readonly tenant?: string;
  /** Lines, 1 to 1000, default 50. */
  readonly limit?: number;
}

const FILTER: OptionNames<LineFilter> = { identifier: true, tenant: true, limit: true };

/** One identifier's waiting runs of one agent in one queue. */
export interface WaitingLine {
  readonly queue: string;
  readonly identifier: string;
  /** Nothing for runs that only have to end. */
  readonly agent?: string;
  readonly tenant?: string;
  readonly waiting: number;
  /** Of this line, of all of the identifier, of all of the tenant. */
  readonly live: number;
  readonly liveOfIdentifier: number;
  readonly liveOfTenant?: number;
  /** Turns of the identifier, and of its tenant, in each round; nothing: one. */
  readonly weight?: number;
  readonly tenantWeight?: number;
  /**
   * What keeps it, from the top: `paused` (an operator's switch), `total`, `tenant`, `identifier` or `agent` (its cap is reached). Nothing:
   * its turn comes.
   */
  readonly keptBy?: "paused" | "total" | "tenant" | "identifier" | "agent";
}

/** As they were set by the worker that was started last. */
export interface LineCaps {
  readonly perIdentifier: number;
  readonly perTenant?: number;
  readonly maxLive?: number;
  readonly agents: Readonly<Record<string, number>>;
}

export interface WaitingLines {
  /** Those whose turn comes first stand first. */
  readonly lines: readonly WaitingLine[];
  /** There are more lines than `limit`. */
  readonly more: boolean;
  /** Runs, of all lines. */
  readonly waiting: number;
  readonly live: number;
  readonly caps: LineCaps;
}

interface Found {
  readonly parent: string;
  readonly node: string;
  readonly line: string;
}

/** @throws ErrandError `option-invalid`, `identifier-invalid` */
export async function listLines(store: Store, filter: LineFilter): Promise<WaitingLines> {
  checkOptionNames("lines", filter, FILTER);
  const { identifier, tenant, limit = 50 } = filter;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new ErrandError(
      "option-invalid",
      `lines: limit: expected a whole number from 1 to 1000, got ${String(limit)}.`,
    );
  if (identifier !== undefined) checkIdentifier(identifier);
  if (tenant !== undefined) checkIdentifier(tenant);
  const { redis, prefix } = store;
  const [caps, switches] = await Promise.all([readCaps(store), redis.hkeys(`${prefix}switches`)]);
  const found: Found[] = [];
  for await (const line of walk(store, tenant === undefined ? "all" : `t:${tenant}`)) {
    const whose = line.node.slice(2).split(" ")[0];
    if (identifier !== undefined && whose !== identifier) continue;
    found.push(line);
    if (found.length > limit) break;
  }
  const all = new Set(switches);
  const [live, queued, running] = await Promise.all([
    redis.zcard(`${prefix}busy:all`),
    redis.zcard(`${prefix}runs:status:queued`),
    redis.zcard(`${prefix}runs:status:running`),
  ]);
  const lines = await Promise.all(found.slice(0, limit).map((line) => readLine(store, line, live, caps, all)));
  const waiting = Math.max(0, queued + running - live);
  return { lines: lines.filter((line) => line.waiting > 0), more: found.length > limit, waiting, live, caps };
}

async function* walk(store: Store, parent: string): AsyncGenerator<Found, void, void> {
  for await (const node of children(store, parent)) {
    if (node.startsWith("t:")) yield* walk(store, node);
    else for await (const line of children(store, node)) yield { parent, node, line };
  }
}

const PAGE = 100;

async function* children({ redis, prefix }: Store, node: string): AsyncGenerator<string, void, void> {
  for (let start = 0; ; start += PAGE) {
    const page = await redis.zrange(`${prefix}waits:${node}`, String(start), String(start + PAGE - 1));
    yield* page;
    if (page.length < PAGE) return;
  }
}

async function readCaps({ redis, prefix, options }: Store): Promise<LineCaps> {
  const stored = await redis.hgetall(`${prefix}caps`);
  const given = { identifier: options.perIdentifier, tenant: options.perTenant ?? 0, total: options.maxLive ?? 0 };
  const capOf = (name: keyof typeof given): number =>
    Number(stored["identifier"] === undefined ? given[name] : stored[name]);
  const agents = Object.entries(stored).flatMap(([name, cap]) =>
    name.startsWith("agent:") ? [[name.slice("agent:".length), Number(cap)] as const] : [],
  );
  return {
    perIdentifier: capOf("identifier"),
    ...(capOf("tenant") > 0 && { perTenant: capOf("tenant") }),
    ...(capOf("total") > 0 && { maxLive: capOf("total") }),
    agents: Object.fromEntries(agents),
  };
}

async function readLine(
  { redis, prefix }: Store,
  { parent, node, line }: Found,
  liveOfAll: number,
  caps: LineCaps,
  switches: ReadonlySet<string>,
): Promise<WaitingLine> {
  const [identifier = "", beside] = node.slice(2).split(" ");
  const tenant = parent.slice(2);
  const [waiting, live, liveOfIdentifier, liveOfTenant, weights] = await Promise.all([
    redis.zcard(`${prefix}line:${line}`),
    redis.zcard(`${prefix}live:${line}`),
    redis.zcard(`${prefix}busy:${node}`),
    parent === "all" ? 0 : redis.zcard(`${prefix}busy:${parent}`),
    redis.hmget(`${prefix}weights`, `identifier:${identifier}`, `tenant:${tenant}`),
  ]);
  const agent = line.slice(line.indexOf(" ") + 1);
  const [weight, tenantWeight] = weights;
  const own = caps.agents[agent];
  const names = agent === "!" ? [] : [`agent:${agent}`, `identifier:${identifier}`, `tenant:${tenant}`];
  const kept: readonly [boolean, NonNullable<WaitingLine["keptBy"]>][] = [
    [names.some((name) => switches.has(name)), "paused"],
    [liveOfAll >= (caps.maxLive ?? Infinity), "total"],
    [parent !== "all" && liveOfTenant >= (caps.perTenant ?? Infinity), "tenant"],
    [own !== undefined && live >= own, "agent"],
    [beside === undefined && liveOfIdentifier >= caps.perIdentifier, "identifier"],
  ];
  const keptBy = kept.find(([is]) => is)?.[1];
  return {
    queue: line.slice(0, line.indexOf(":")),
    identifier,
    ...(agent !== "!" && { agent }),
    ...(parent !== "all" && { tenant, liveOfTenant }),
    waiting,
    live,
    liveOfIdentifier,
    ...(agent !== "!" && typeof weight === "string" && { weight: Number(weight) }),
    ...(parent !== "all" && typeof tenantWeight === "string" && { tenantWeight: Number(tenantWeight) }),
    ...(keptBy !== undefined && { keptBy }),
  };
}
