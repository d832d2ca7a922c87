/** Where runs stand, after every script: each in one place, where somebody will look; no more live ones than the caps, and no fewer. */
import { isFinal } from "../../src/core/run.ts";
import type { StoredRun } from "./memory-state.ts";
import type { World } from "./world.ts";

export interface PlacesChecker {
  places(run: StoredRun): void;
  caps(): void;
}

/** @param extra runs that were taken from a line or gate to be ended: they have a slot, whether the cap allows it or not */
export function createPlacesChecker(world: World, extra: Set<string>): PlacesChecker {
  const broken = (invariant: string, detail: string): never => world.broken(invariant, detail);

  const isAsked = (id: string): boolean =>
    Array.from(world.store.approvals).some((member) => member.startsWith(`${id} `));

  const places = (run: StoredRun): void => {
    const { store } = world;
    const { id, place, line } = run;
    if (place !== "live") extra.delete(id);
    const inLine = store.turns.lines.get(line)?.has(id) === true;
    const isLive = store.turns.busy.get(line)?.has(id) === true;
    let atGate = false;
    for (const [name, gate] of store.gates) {
      const waits = gate.waiters.has(id);
      if (waits !== (place === "gate" && run.gates.includes(name)))
        broken("a run stands in one place", `${id}: ${place}, at ${name} or not`);
      if (!waits) continue;
      atGate = true;
      // At the gate of a review somebody else looks: whoever reads the list of unknown outcomes.
      const bySomebody =
        name.startsWith("review/") ||
        (name.startsWith("switch/") && (store.off.has(name.slice("switch/".length)) || world.tainted.has(id))) ||
        (name.startsWith("approval/") && (isAsked(id) || world.tainted.has(id)));
      if (!bySomebody && !store.looks.has(`gate:${name}`))
        broken("no run is forgotten", `${id} waits at ${name} and nobody will look`);
    }
    if (inLine !== (place === "line") || isLive !== (place === "live") || atGate !== (place === "gate"))
      broken("a run stands in one place", `${id}: ${place}, but ${JSON.stringify({ inLine, isLive, atGate })}`);
    if ((place === "none") !== isFinal(run.status))
      broken("a run stands in one place", `${id}: ${place} ${run.status}`);
    if (run.status === "running" && place !== "live") broken("a running run has a slot", `${id}: ${place}`);
    if (place !== "line" && place !== "none" && !store.looks.has(`run:${id}`))
      broken("no run is forgotten", `${id} stands at ${place} and nobody will look`);
    if (run.cancel && (place === "gate" || place === "moment"))
      broken("a cancelled run waits for nothing", `${id} was cancelled and is parked`);
  };

  const caps = (): void => {
    const { busy, lines } = world.store.turns;
    const { tenant, total, agents } = world.caps;
    const capOf = (node: string): number => {
      if (node === "all") return total;
      if (node.startsWith("t:")) return tenant;
      if (node.startsWith("i:")) return world.caps.identifier;
      return agents.get(node.slice(node.indexOf(" ") + 1)) ?? Infinity;
    };
    const { off } = world.store;
    const isOff = (node: string): boolean => {
      if (off.size === 0 || node.endsWith(" !")) return false;
      if (node.startsWith("t:")) return off.has(`tenant:${node.slice(2)}`);
      if (node.startsWith("i:")) return off.has(`identifier:${node.slice(2)}`);
      return off.has(`agent:${node.slice(node.indexOf(" ") + 1)}`);
    };
    const hasRoom = (node: string): boolean => (busy.get(node)?.size ?? 0) < capOf(node) && !isOff(node);
    for (const [node, live] of busy) {
      let counted = live.size;
      for (const id of live) if (extra.has(id)) counted--;
      if (counted > capOf(node)) broken("the cap holds", `${node}: ${counted} live, ${capOf(node)} allowed`);
    }
    for (const [line, waiting] of lines) {
      const run = world.store.runs.get(waiting.keys().next().value ?? "");
      if (run === undefined) continue;
      const path = [line, ...nodesOf(run), "all"];
      if (path.every(hasRoom)) broken("free slots are filled", `${line}: ${waiting.size} wait, and nothing is full`);
    }
  };

  const nodesOf = ({ identifier, tenant, line }: StoredRun): readonly string[] => {
    if (line.endsWith(" !")) return [`i:${identifier} !`];
    return [`i:${identifier}`, ...(tenant === undefined ? [] : [`t:${tenant}`])];
  };

  return { places, caps };
}
