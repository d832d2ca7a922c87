/** All interleavings of a scenario, or some of them by a dice. */
import { type Dice, rollDice } from "../simulation/dice.ts";
import { type Choose, play, type Played, type Ready, type Scenario, type Stage } from "./play.ts";
import { independent } from "./turns.ts";

export interface Explored {
  /** Interleavings that were played to their end. */
  readonly played: number;
  /** Given up, because they differ from others only in the order of steps that do not touch each other. */
  readonly alike: number;
  /** Whether there are no others. */
  readonly all: boolean;
  readonly broken?: Played;
}

export interface ExploreOptions {
  /** Interleavings at most. */
  readonly most?: number;
  readonly until?: () => boolean;
}

/** Where an interleaving leaves one that was played, and who is asleep there: his step, done later, would lead to what was played before. */
interface Branch {
  readonly path: readonly number[];
  readonly asleep: readonly Ready[];
}

const SIDE_BY_SIDE = 16;

/**
 * Every interleaving once, up to the order of neighbouring steps that do not touch each other (sleep sets, Godefroid 1996): each is a
 * fresh world in which the same turns are given up to the branch.
 */
export async function exploreAll(stage: Stage, scenario: Scenario, options: ExploreOptions = {}): Promise<Explored> {
  const { most = Infinity, until = () => false } = options;
  const branches: Branch[] = [{ path: [], asleep: [] }];
  const count = { played: 0, alike: 0 };
  let broken: Played | undefined;
  let underWay = 0;
  const done = (): boolean => broken !== undefined || count.played + underWay >= most || until();
  const one = async (branch: Branch): Promise<void> => {
    const result = await play(
      stage,
      scenario,
      following(branch, (found) => branches.push(found)),
    );
    if (result.complete) count.played++;
    else count.alike++;
    if (result.broken !== undefined) broken ??= result;
  };
  await new Promise<void>((resolve, reject) => {
    const more = (): void => {
      while (underWay < SIDE_BY_SIDE && branches.length > 0 && !done()) {
        const branch = branches.pop();
        if (branch === undefined) break;
        underWay++;
        one(branch).then(() => {
          underWay--;
          more();
        }, reject);
      }
      if (underWay === 0) resolve();
    };
    more();
  });
  return { ...count, all: branches.length === 0 && broken === undefined, ...(broken !== undefined && { broken }) };
}

function following({ path, asleep }: Branch, onBranch: (branch: Branch) => void): Choose {
  const taken: number[] = [];
  let sleeping: readonly Ready[] = [];
  return (ready) => {
    if (taken.length < path.length) {
      const chosen = ready.find(({ index }) => index === path[taken.length]);
      if (chosen === undefined) throw new Error(`turn ${taken.length} of ${path.join()} cannot be given again`);
      taken.push(chosen.index);
      if (taken.length === path.length) sleeping = asleep;
      return chosen;
    }
    const awake = ready.filter(({ index }) => !sleeping.some((it) => it.index === index));
    const [chosen, ...others] = awake;
    if (chosen === undefined) return undefined;
    others.forEach((other, i) => {
      const before = [...sleeping, ...awake.slice(0, i + 1)].filter((it) => independent(it, other));
      onBranch({ path: [...taken, other.index], asleep: before });
    });
    sleeping = sleeping.filter((it) => independent(it, chosen));
    taken.push(chosen.index);
    return chosen;
  };
}

/** Interleavings of scenarios that a dice draws, each a different one. */
export async function sample(
  stage: Stage,
  draw: (dice: Dice) => Scenario,
  seed: number,
  { most = Infinity, until = () => false }: ExploreOptions,
): Promise<Explored & { readonly seed: number }> {
  const different = new Set<string>();
  let next = seed;
  let played = 0;
  let broken: Played | undefined;
  const lane = async (): Promise<void> => {
    while (broken === undefined && played < most && !until()) {
      played++;
      const dice = rollDice(next++);
      const scenario = draw(dice);
      const result = await play(stage, scenario, (ready) => dice.pick(ready as [Ready, ...Ready[]]));
      different.add(`${JSON.stringify(scenario)} ${result.path.join()}`);
      if (result.broken !== undefined) broken ??= result;
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  return {
    seed,
    played: different.size,
    alike: played - different.size,
    all: false,
    ...(broken !== undefined && { broken }),
  };
}
