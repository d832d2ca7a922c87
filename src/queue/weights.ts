/** Weights on Redis: said by an operator, and true in all processes from the next hand-over on. */
import {
  checkWeight,
  parseWeightName,
  type Weighed,
  weighedOf,
  weightName,
  type WeightTarget,
} from "../core/weights.ts";
import { WEIGH } from "./scripts/weights.ts";
import type { Store } from "./store.ts";

/** Turns that a tenant or an identifier has in each round. */
export interface Weight extends Weighed {
  readonly weight: number;
}

export interface Weights {
  /** @returns as many as it had before. @throws ErrandError `option-invalid`, `redis-…` */
  weigh(target: WeightTarget, weight: number): Promise<number>;
  /** Those of more than one turn, by their names. */
  list(): Promise<readonly Weight[]>;
}

export function redisWeights(store: Store): Weights {
  return {
    weigh: async (target, weight) => {
      const whose = weighedOf(target);
      const [was] = await store.run(WEIGH, weightName(whose), checkWeight(whose, weight));
      return Number(was);
    },
    list: async () => {
      const all = Object.entries(await store.redis.hgetall(`${store.prefix}weights`));
      const found = all.flatMap(([text, weight]): Weight[] => {
        const whose = parseWeightName(text);
        return whose === undefined ? [] : [{ ...whose, weight: Number(weight) }];
      });
      return found.toSorted((a, b) => (weightName(a) < weightName(b) ? -1 : 1));
    },
  };
}
