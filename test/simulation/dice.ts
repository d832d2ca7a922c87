/** Chance from a seed: mulberry32. Equal seeds, equal runs, on any machine. */

export interface Dice {
  /** Of all that was rolled so far: equal histories, equal marks. */
  mark(): number;
  /** In [0, 1). */
  random(): number;
  chance(probability: number): boolean;
  /** In [low, high). */
  between(low: number, high: number): number;
  /** A whole number in [0, below). */
  below(below: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** One of the keys, as often as its weight says. */
  weighed<K extends string>(weights: Readonly<Record<K, number>>): K;
}

export function rollDice(seed: number): Dice {
  let state = Math.imul(seed, 0x9e3779b1) | 0;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    mark: () => state >>> 0,
    random,
    chance: (probability) => probability > 0 && random() < probability,
    between: (low, high) => low + random() * (high - low),
    below: (below) => Math.floor(random() * below),
    pick: (from) => from[Math.floor(random() * from.length)] ?? from[0],
    weighed: <K extends string>(weights: Readonly<Record<K, number>>): K => {
      const all = Object.entries<number>(weights);
      let left = random() * all.reduce((sum, [, weight]) => sum + weight, 0);
      const hit = all.find(([, weight]) => (left -= weight) < 0) ?? all[0];
      return hit?.[0] as K;
    },
  };
}
