/** Somebody who stops agents, users, tools and connections, and lets them go on: what `errand pause` and `errand resume` are for. */
import type { Crew } from "./crew.ts";
import { StoreGone } from "./network.ts";
import { budgetsOf, RAISE } from "./shared.ts";
import type { World } from "./world.ts";

export interface Switcher {
  /** All is let go on, and whose day is used up is given more. */
  look(): void;
}

const NAMES = [
  "agent:both",
  "agent:asker",
  "agent:mailer",
  "identifier:ann",
  "identifier:bob",
  "tenant:acme",
  "connection:mail",
  "connection:chat",
  "tool:send",
  "tool:find",
] as const;

export function createSwitcher(world: World, crew: Crew, identifiers: readonly string[]): Switcher {
  const { dice, time, shared } = world;
  const say = (what: "pause" | "resume", name: string): Promise<unknown> =>
    crew.ports(world.spawn("switcher")).script(
      what,
      name,
      (store) => store[what](name),
      () => (what === "pause" ? world.switches.pause(name) : world.switches.resume(name)),
    );
  const caught = (error: unknown): void => {
    if (!(error instanceof StoreGone)) world.caught(error);
  };
  /** Until it is done: what he has said may have been lost on its way, and he with it. */
  const resume = (name: string): void => {
    if (!world.switches.off.has(name)) return;
    say("resume", name).catch(caught);
    time.after(dice.between(5_000, 15_000), () => resume(name));
  };
  const pause = (): void => {
    if (world.calm) return;
    const name = dice.pick(NAMES);
    world.count("paused");
    say("pause", name).catch(caught);
    time.after(dice.between(100, 40_000), () => resume(name));
  };
  for (let i = 0; i < (shared?.pauses ?? 0); i++) time.at(dice.between(0, 60_000), pause);

  return {
    look() {
      for (const name of world.store.off) resume(name);
      const isShort = Array.from(world.store.runs.values()).some(({ reason }) => reason === "budget");
      if (shared === undefined || !isShort) return;
      const names = new Map(
        identifiers.flatMap((identifier) =>
          budgetsOf(shared, { identifier, tenant: "acme" }, world.redisNow()).map((day) => [day.name, day]),
        ),
      );
      for (const { name, endsAt } of names.values())
        crew
          .ports(world.spawn("switcher"))
          .script("raise", name, ({ asking }) => asking.give({ name, endsAt, ...RAISE }))
          .catch(caught);
    },
  };
}
