/** Who meets whom. The worker is always there: it takes the run's ticket, looks and parks, and takes it again whenever it is woken. */
import type { Dice } from "../simulation/dice.ts";
import type { Kind } from "./actors.ts";
import type { ActorName, Scenario } from "./play.ts";

const KINDS = ["connects", "returns", "webhook", "callback", "sweep", "cancel", "expiry", "kill"] as const;
KINDS satisfies readonly Kind[];
const ALL = [...KINDS, "lapse"] as const;
/** Who matters once the user has connected. */
const OTHERS = KINDS.slice(2);

export const PAIRS: readonly Scenario[] = KINDS.map((one) => ({ actors: [one] }));
/** Two of the same kind as well. */
export const TRIPLES: readonly Scenario[] = pairsOf(KINDS).map((actors) => ({ actors }));
export const QUADRUPLES: readonly Scenario[] = pairsOf(OTHERS).map((two) => ({ actors: ["connects", ...two] }));
/** Two workers: one stands still beyond its lease, the other one takes over, and the first goes on. */
export const ZOMBIES: readonly Scenario[] = [[], ...ALL.map((one) => [one])].map((others) => ({
  actors: ["lapse", ...others],
  workers: 2,
}));
/** Those of them that have some hundred interleavings at most. */
export const FEW_ZOMBIES: readonly Scenario[] = ZOMBIES.filter(({ actors: [, other] }) =>
  [undefined, "connects", "sweep", "cancel"].includes(other),
);

function pairsOf(kinds: readonly Kind[]): (readonly [Kind, Kind])[] {
  return kinds.flatMap((one, i) => kinds.slice(i).map((other) => [one, other] as const));
}

/** Three to six at once, over one or two accounts, up to three runs of the user, and one or two workers. */
export function drawScenario(dice: Dice): Scenario {
  const connections = dice.chance(0.4) ? (["gmail", "slack"] as const) : (["gmail"] as const);
  const actors = Array.from({ length: 3 + dice.below(4) }, (): ActorName => {
    const kind = dice.pick<Kind>(ALL);
    return `${kind}:${dice.pick<string>(connections)}`;
  });
  return { actors, connections, workers: 1 + dice.below(2), runs: 1 + dice.below(3), cap: 1 + dice.below(2) };
}
