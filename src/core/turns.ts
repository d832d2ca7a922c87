/**
 * Who gets the next free slot: the model of what src/queue/scripts/turns.ts does in Redis, without its indexes. It looks at everything
 * each time; the two are held together by tests.
 *
 * T1 No node has more runs than its cap, but for those that are taken from a line only to be ended.
 * T2 While there is a free slot, nobody waits who could have it.
 * T3 Among a node's children, none is served more often than its weight says while another waits that could have gone each time.
 * T4 Within an identifier, the best rank goes first: own priority, then first come.
 */
/** No cap is larger: a queue that holds more is no queue of what workers could do now. */
export const MOST_LIVE = 1_000_000;

export interface Caps {
  /** Live runs; `Infinity`: no cap. */
  readonly identifier: number;
  readonly tenant: number;
  readonly total: number;
  /** Agents that have a cap of their own. */
  readonly agents: ReadonlyMap<string, number>;
}

/** Whose run it is. `ends`: it only has to end, and no switch keeps it. */
export interface Claimant {
  readonly queue: string;
  readonly identifier: string;
  readonly agent: string;
  readonly ends: boolean;
}

export function lineOf({ queue, identifier, agent, ends }: Claimant): string {
  return `${queue}:${identifier} ${ends ? "!" : agent}`;
}

/** From the line up. */
export interface Path {
  readonly line: string;
  readonly node: string;
  /** A tenant, or `all`. */
  readonly parent: string;
}

/** What the model needs to know, and what it changes. */
export interface Turns {
  /** A run waits in a line now. */
  enter(run: string, path: Path, rank: number): void;
  /** It left the line by another way than by its turn. */
  leave(run: string, path: Path): void;
  /** It got a slot by another way than by its turn. */
  seat(run: string, path: Path): void;
  unseat(run: string, path: Path): void;
  /** Tells the children of this path where they stand. */
  touch(path: Path): void;
  /** It has one turn in each round again: what it had of this one counts no more. `tenant:<name>`, `identifier:<id>` */
  evenOut(name: string): void;
  /** Gives free slots to those whose turn it is. @returns them, in that order */
  fill(): readonly string[];
  /** Line → its waiting runs and their ranks. */
  readonly lines: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Line or node → the runs below it that have a slot. */
  readonly busy: ReadonlyMap<string, ReadonlySet<string>>;
  /** Node → its children that have waiting runs, with their turns. */
  readonly waits: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Node → how many of its turns in this round it has had, if it has several. */
  readonly used: ReadonlyMap<string, number>;
}

export const ALL = "all";

export function pathOf(claimant: Claimant, caps: Caps, tenant: string | undefined): Path {
  const { identifier, agent, ends } = claimant;
  const own = caps.agents.get(agent);
  const beside = ends ? " !" : own !== undefined && own > caps.identifier ? ` ${agent}` : "";
  const parent = ends || tenant === undefined ? ALL : `t:${tenant}`;
  return { line: lineOf(claimant), node: `i:${identifier}${beside}`, parent };
}

/** A node as operators name it: `tenant:<name>`, `identifier:<id>`; nothing for runs that only have to end. */
function nameOf(node: string): string | undefined {
  if (node.startsWith("t:")) return `tenant:${node.slice(2)}`;
  const [identifier = "", more] = node.slice(2).split(" ");
  return more === "!" ? undefined : `identifier:${identifier}`;
}

/**
 * @param isOff whether an operator stopped it: `agent:<name>`, `identifier:<id>`, `tenant:<name>`
 * @param weightOf turns in each round: `identifier:<id>`, `tenant:<name>`
 */
export function createTurns(
  caps: Caps,
  isOff: (name: string) => boolean,
  weightOf: (name: string) => number = () => 1,
): Turns {
  const lines = new Map<string, Map<string, number>>();
  const busy = new Map<string, Set<string>>();
  const waits = new Map<string, Map<string, number>>();
  const paths = new Map<string, Path>();
  const parents = new Map<string, string>();
  const used = new Map<string, number>();
  let last = 0;

  const agentOf = (line: string): string => line.slice(line.indexOf(" ") + 1);
  const room = (node: string): boolean => {
    const count = busy.get(node)?.size ?? 0;
    if (node === ALL) return count < caps.total;
    if (node.startsWith("t:")) return count < caps.tenant && !isOff(`tenant:${node.slice(2)}`);
    const [identifier = "", more = ""] = node.slice(2).split(" ");
    const cap = more === "" || more === "!" ? caps.identifier : (caps.agents.get(more) ?? caps.identifier);
    return count < cap && (more === "!" || !isOff(`identifier:${identifier}`));
  };
  const lineRoom = (line: string): boolean => {
    const agent = agentOf(line);
    if (agent === "!") return true;
    return (busy.get(line)?.size ?? 0) < (caps.agents.get(agent) ?? Infinity) && !isOff(`agent:${agent}`);
  };
  const children = (node: string): string[] =>
    Array.from(waits.get(node) ?? [])
      .toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
      .map(([child]) => child);
  /** The best waiting run below a node that may go, as the line that it stands in. */
  const best = (node: string): string | undefined => {
    if (!room(node)) return undefined;
    for (const child of children(node)) {
      const found = node.startsWith("i:") ? (lineRoom(child) ? child : undefined) : best(child);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const place = (parent: string, child: string, turn: number | undefined): void => {
    const of = entry(waits, parent, () => new Map<string, number>());
    if (turn === undefined) of.delete(child);
    else of.set(child, turn);
    if (of.size === 0) waits.delete(parent);
  };
  const stand = (parent: string, child: string): void => {
    const has = (waits.get(child)?.size ?? 0) > 0;
    if (!has) used.delete(child);
    place(parent, child, has ? (waits.get(parent)?.get(child) ?? ++last) : undefined);
  };
  const touch = ({ line, node, parent }: Path): void => {
    const before = parents.get(node) ?? parent;
    // Its tenant was recorded since.
    if (before !== parent) place(before, node, undefined);
    parents.set(node, parent);
    const ranks = Array.from(lines.get(line)?.values() ?? []);
    place(node, line, ranks.length === 0 ? undefined : Math.min(...ranks));
    stand(parent, node);
    if (parent !== ALL) stand(ALL, parent);
  };
  /** It goes to the end, or keeps its place for the turns that it still has in this round. */
  const serve = (parent: string, child: string, turn: number): void => {
    if (waits.get(parent)?.has(child) !== true) return;
    const name = nameOf(child);
    const had = (used.get(child) ?? 0) + 1;
    const isOver = had >= (name === undefined ? 1 : weightOf(name));
    if (isOver) used.delete(child);
    else used.set(child, had);
    if (isOver) place(parent, child, turn);
  };
  const each = ({ line, node, parent }: Path): readonly string[] => [...new Set([line, node, parent, ALL])];
  const seat = (run: string, path: Path): void => {
    for (const of of each(path)) entry(busy, of, () => new Set<string>()).add(run);
  };
  const take = (line: string): string => {
    const waiting = lines.get(line) ?? new Map<string, number>();
    const [run = ""] = Array.from(waiting).toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))[0] ?? [];
    waiting.delete(run);
    const path = paths.get(line);
    if (path === undefined) throw new Error(`line ${line} has no path`);
    seat(run, path);
    const turn = ++last;
    serve(path.parent, path.node, turn);
    if (path.parent !== ALL) serve(ALL, path.parent, turn);
    touch(path);
    return run;
  };
  return {
    enter(run, path, rank) {
      paths.set(path.line, path);
      entry(lines, path.line, () => new Map<string, number>()).set(run, rank);
      touch(path);
    },
    leave(run, path) {
      lines.get(path.line)?.delete(run);
      touch(path);
    },
    seat,
    unseat(run, path) {
      for (const of of each(path)) busy.get(of)?.delete(run);
    },
    touch,
    evenOut(name) {
      for (const node of used.keys()) if (nameOf(node) === name) used.delete(node);
    },
    fill() {
      const served: string[] = [];
      for (let line = best(ALL); line !== undefined; line = best(ALL)) served.push(take(line));
      return served;
    },
    lines,
    busy,
    waits,
    used,
  };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
