/** Stop switches on Redis: pause, resume, and what is paused now. */
import { checkOptionNames, type OptionNames } from "../core/option-names.ts";
import {
  type KnownTargets,
  parseSwitch,
  type SwitchKind,
  switchName,
  switchOf,
  type SwitchTarget,
} from "../core/switches.ts";
import { decodeTickets } from "./codec.ts";
import { PAUSE, RESUME } from "./scripts/switches.ts";
import { inSlices } from "./slices.ts";
import type { Store } from "./store.ts";
import type { Tickets } from "./tickets.ts";

/** Who stops something, and why: for whoever reads it at night. */
export interface PauseNote {
  readonly by?: string;
  readonly why?: string;
}

export interface PausedSwitch extends PauseNote {
  readonly kind: SwitchKind;
  readonly name: string;
  /** Redis ms. */
  readonly at: number;
  /** Runs that met it and wait for it. Those that stand in their lines are not among them. */
  readonly waiting: number;
}

export interface Switches {
  /** @returns false when it was paused before; the new note stands. @throws ErrandError `option-invalid`, `redis-…` */
  pause(target: SwitchTarget, note?: PauseNote): Promise<boolean>;
  /** @returns false when it was not paused. @throws ErrandError `option-invalid`, `redis-…` */
  resume(target: SwitchTarget): Promise<boolean>;
  /** Oldest first. */
  list(): Promise<readonly PausedSwitch[]>;
}

const NOTE: OptionNames<PauseNote> = { by: true, why: true };

/** Runs and lines that go on at once: about a millisecond of Redis. */
const SLICE = 25;
const MOST_CHARACTERS = 500;

export function redisSwitches(store: Store, tickets: Tickets, known: KnownTargets): Switches {
  const { redis, prefix } = store;
  return {
    pause: async (target, given = {}) => {
      checkOptionNames("pause", given, NOTE);
      const { by, why } = given;
      const name = switchName(switchOf("pause", target, known));
      const [seconds, micros] = await redis.time();
      const at = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
      const note = {
        ...(by !== undefined && { by: by.slice(0, MOST_CHARACTERS) }),
        ...(why !== undefined && { why: why.slice(0, MOST_CHARACTERS) }),
        at,
      };
      const [was] = await store.run(PAUSE, name, JSON.stringify(note));
      return was === "";
    },
    resume: async (target) => {
      const name = switchName(switchOf("resume", target));
      let was: unknown;
      await inSlices(async () => {
        const [said, left, ...made] = await store.run(RESUME, name, SLICE, was === undefined ? "1" : "");
        was ??= said;
        await tickets.add(decodeTickets(made));
        return left === "1";
      });
      return was !== "";
    },
    list: async () => {
      const all = Object.entries(await redis.hgetall(`${prefix}switches`));
      const found = await Promise.all(
        all.map(async ([text, note]): Promise<PausedSwitch[]> => {
          const named = parseSwitch(text);
          if (named === undefined) return [];
          const waiting = await redis.zcard(`${prefix}gate:switch/${text}:w`);
          return [{ ...named, ...(JSON.parse(note) as PauseNote & { at: number }), waiting }];
        }),
      );
      return found.flat().toSorted((a, b) => a.at - b.at || (`${a.kind}:${a.name}` < `${b.kind}:${b.name}` ? -1 : 1));
    },
  };
}
