/** How an operator gives some more turns than others, as the public API offers it. */
import type { WeightTarget } from "./core/weights.ts";
import type { Weight, Weights } from "./queue/weights.ts";

export interface WeightActions {
  /**
   * Gives a tenant or an identifier so many turns in each round, where a cap makes them take turns (`maxLive`: tenants, and identifiers
   * without one; `perTenant`: the identifiers of a tenant); others have 1. It raises no cap. In all workers from the next hand-over on, and
   * until it is set to 1 again.
   * @param weight 1 to 100, whole
   * @returns what it was before. @throws ErrandError `option-invalid`, `redis-…`
   */
  weigh(target: WeightTarget, weight: number): Promise<number>;
  /** Those that have more than one turn. @throws ErrandError `redis-…` */
  weights(): Promise<readonly Weight[]>;
}

export function weightActions(weights: Weights, reach: <T>(work: () => Promise<T>) => Promise<T>): WeightActions {
  return {
    weigh: (target, weight) => reach(() => weights.weigh(target, weight)),
    weights: () => reach(() => weights.list()),
  };
}
