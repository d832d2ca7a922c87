/** Maps as Redis has them. */

export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** As Redis orders a sorted set: by score, then by member. */
export function byScore([a, x]: readonly [string, number], [b, y]: readonly [string, number]): number {
  return x - y || (a < b ? -1 : 1);
}
