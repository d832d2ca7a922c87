/** One interleaving: actors on a world, turn by turn, as somebody chooses; then the net, and the rules. */
import type { Redis } from "ioredis";
import { ACTS, type Kind, work } from "./actors.ts";
import { Broken } from "./broken.ts";
import type { Mutant } from "./mutants.ts";
import { checkPlaces } from "./places.ts";
import { settle } from "./rules.ts";
import { Actor, type Step } from "./turns.ts";
import { World } from "./world.ts";

/** `sweep`, or `callback:slack` for one of several accounts. */
export type ActorName = Kind | `${Kind}:${string}`;

export interface Scenario {
  /** Beside the worker, which is always there. */
  readonly actors: readonly ActorName[];
  readonly workers?: number;
  readonly runs?: number;
  readonly connections?: readonly string[];
  readonly cap?: number;
}

export interface Ready {
  readonly index: number;
  readonly name: string;
  readonly step: Step;
}

/** @returns who is next, or nothing when this interleaving is like another one */
export type Choose = (ready: readonly [Ready, ...Ready[]]) => Ready | undefined;

export interface Played {
  /** Who had each turn. */
  readonly path: readonly number[];
  readonly story: readonly string[];
  readonly complete: boolean;
  readonly broken?: string;
}

export interface Stage {
  readonly redis: Redis;
  /** A name for the keys of the next world. */
  readonly name: () => string;
  readonly mutant?: Mutant | undefined;
}

export async function play(stage: Stage, scenario: Scenario, choose: Choose): Promise<Played> {
  const world = await World.open({ redis: stage.redis, name: stage.name(), mutant: stage.mutant, ...scenario });
  const actors = await enter(world, scenario);
  const path: number[] = [];
  const story: string[] = [];
  try {
    const complete = await takeTurns(
      actors,
      (ready) => {
        const chosen = choose(ready);
        if (chosen !== undefined) {
          path.push(chosen.index);
          story.push(`${chosen.name} ${chosen.step.what}`);
        }
        return chosen;
      },
      () => checkPlaces(world),
    );
    await leave(actors);
    if (complete) await settle(world, () => checkPlaces(world));
    return { path, story, complete };
  } catch (error) {
    await leave(actors);
    if (!(error instanceof Broken)) throw error;
    return { path, story, complete: true, broken: error.message };
  }
}

async function enter(world: World, { actors, workers = 1 }: Scenario): Promise<readonly Actor[]> {
  const entered = Array.from({ length: workers }, (_, i) => new Actor(`worker${i}`));
  const [first = new Actor("nobody")] = entered;
  for (const worker of entered) await worker.begin((me) => work(world, me));
  for (const [i, name] of actors.entries()) {
    const [kind, connection = "gmail"] = name.split(":") as [Kind, string?];
    const actor = new Actor(`${name}${i}`);
    entered.push(actor);
    await actor.begin((me) => ACTS[kind](world, me, connection, first));
  }
  return entered;
}

async function leave(actors: readonly Actor[]): Promise<void> {
  await Promise.all(actors.map((actor) => actor.end()));
}

/** @returns whether all steps were done */
async function takeTurns(actors: readonly Actor[], choose: Choose, afterStep: () => Promise<void>): Promise<boolean> {
  for (;;) {
    const ready = actors.flatMap(({ name, next: step }, index) => (step === undefined ? [] : [{ index, name, step }]));
    // What touches nothing that others see is done at once.
    const own = ready.find(
      ({ step }) => step.account === undefined && step.store === undefined && step.kills === undefined,
    );
    const [first, ...others] = ready;
    if (first === undefined) return true;
    const chosen = own ?? choose([first, ...others]);
    if (chosen === undefined) return false;
    await actors[chosen.index]?.go();
    if (chosen.step.store === "w") await afterStep();
  }
}
