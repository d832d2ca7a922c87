/** Lists come in pages, ten items by default (facts/scalekit.md P18): they are always read to the end. */

export interface Page<T> {
  readonly items: readonly T[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** The most that Scalekit gives at once; connections: 30. */
export const PAGE_SIZE = 100;
const MOST_PAGES = 1_000;

/** @throws Error when the list does not end */
export async function allPages<T>(read: (pageToken: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  const seen = new Set<string>();
  for (let token = ""; ;) {
    const page = await read(token);
    items.push(...page.items);
    token = page.nextPageToken;
    if (token === "") return items;
    if (seen.has(token) || seen.size >= MOST_PAGES) throw new Error(`a list did not end after ${seen.size + 1} pages`);
    seen.add(token);
  }
}

/** Scalekit takes at most 20 connection names in one question. */
export function chunks<T>(all: readonly T[], size = 20): (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
