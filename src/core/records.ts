/** Records by ids, as a run's state holds them. */

/**
 * A record whose keys are ids: without a prototype V8 keeps it as a hash table. As a usual object each new set of keys, and ids are
 * always new, is a shape that V8 has to make.
 */
export function byKey<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

export function added<T>(record: Readonly<Record<string, T>>, key: string, value: T): Readonly<Record<string, T>> {
  const copy = Object.assign(byKey<T>(), record);
  copy[key] = value;
  return copy;
}
