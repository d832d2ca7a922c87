/** "Did you mean": the known names closest to an unknown one. */

/** Optimal string alignment distance (edits and swapped neighbours), enough for typing slips. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Length of what two names share at their start: tool names carry their connector as prefix. */
function sharedPrefix(a: string, b: string): number {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
}

/**
 * Up to `most` of `known`, closest first. A name counts as close when at most half of it differs, or when it shares
 * a prefix of five characters or more (`gmail_list_messages` → the other `gmail_…` names).
 */
export function nearest(name: string, known: readonly string[], most = 3): string[] {
  const lower = name.toLowerCase();
  return known
    .map((other) => ({
      other,
      away: distance(lower, other.toLowerCase()),
      shared: sharedPrefix(lower, other.toLowerCase()),
    }))
    .filter(({ other, away, shared }) => away <= Math.max(name.length, other.length) / 2 || shared >= 5)
    .toSorted((a, b) => a.away - b.away || (a.other < b.other ? -1 : 1))
    .slice(0, most)
    .map(({ other }) => other);
}

/** ` Did you mean "a" or "b"?`, or nothing when no name is close. */
export function didYouMean(name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return close.length === 0 ? "" : ` Did you mean ${close.map((c) => `"${c}"`).join(" or ")}?`;
}
