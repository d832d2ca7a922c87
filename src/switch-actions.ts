/** What an operator can stop and let go on, as the public API offers it. */
import type { Agents } from "./core/agents.ts";
import { isAllOf } from "./core/tool-use.ts";
import type { KnownTargets, SwitchTarget } from "./core/switches.ts";
import type { PausedSwitch, PauseNote, Switches } from "./queue/switches.ts";

export interface SwitchActions {
  /**
   * Stops an agent, an identifier, a tenant, a connection or a tool in all workers, at once: what is under way is let finish, nothing new of
   * it begins. Runs that meet it park as `paused`, those in line stay there; a cancel ends them nevertheless. It holds until `resume`.
   * @returns false when it was paused before; the new note stands. @throws ErrandError `option-invalid`, `redis-…`
   */
  pause(target: SwitchTarget, note?: PauseNote): Promise<boolean>;
  /** What waited goes on. @returns false when it was not paused. @throws ErrandError `option-invalid`, `redis-…` */
  resume(target: SwitchTarget): Promise<boolean>;
  /** What is paused now, by whom and why, oldest first. @throws ErrandError `redis-…` */
  switches(): Promise<readonly PausedSwitch[]>;
}

type Reach = <T>(work: () => Promise<T>) => Promise<T>;

export function switchActions(switches: Switches, reach: Reach): SwitchActions {
  return {
    pause: (target, note) => reach(() => switches.pause(target, note)),
    resume: (target) => reach(() => switches.resume(target)),
    switches: () => reach(() => switches.list()),
  };
}

/**
 * Names that the agents of this process know: a slip of the pen at night must not stop nothing. Of whoever takes all tools of a server,
 * only a run knows their names, so then every name of a tool is taken.
 */
export function knownTargets({ all }: Agents): KnownTargets {
  const tools = all.flatMap((agent) => agent.tools);
  return {
    agent: all.map(({ name }) => name),
    connection: [...new Set(all.flatMap(({ connections }) => connections))],
    tool: tools.some(isAllOf) ? [] : [...new Set(tools.map(({ name }) => name))],
  };
}
