/**
 * Large results beside the journal: the hash `run:<id>:b`, in pieces, so that no command carries megabytes and stops all others.
 * Pieces are bytes of UTF-8: a border may stand inside a character, and only all of them together are a text.
 */
import type { Kept } from "../ports/journal.ts";
import { KEEP } from "./scripts/keep.ts";
import type { Store } from "./store.ts";

/** Just below 256 KB: Redis' allocator would round the few bytes beyond it up to 320 KB. */
const PIECE_BYTES = 255 * 1024;
/** Of one result: 16 MB. */
const MOST_BYTES = 64 * PIECE_BYTES;
/** Less than the grace that evidence has to arrive: it waits for this. */
const PATIENCE_MS = 3_000;

export interface Pieces {
  readonly pieces: readonly Buffer[];
  readonly cut: boolean;
}

export function piecesOf(text: string): Pieces {
  const bytes = Buffer.from(text);
  const cut = bytes.length > MOST_BYTES;
  const end = cut ? characterEnd(bytes, MOST_BYTES) : bytes.length;
  const count = Math.ceil(end / PIECE_BYTES);
  const pieces = Array.from({ length: count }, (_, i) =>
    bytes.subarray(i * PIECE_BYTES, Math.min(end, (i + 1) * PIECE_BYTES)),
  );
  return { pieces, cut };
}

/** At most `most`, and not inside a character. */
function characterEnd(bytes: Buffer, most: number): number {
  let end = most;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return end;
}

export function joined(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString();
}

/** The port's `keep`. Never rejects; what was written of a text that could not be kept is taken away again. */
export async function keepBlob(
  store: Store,
  run: string,
  nonce: string,
  text: string,
  patienceMs: number = PATIENCE_MS,
): Promise<Kept | undefined> {
  const { pieces, cut } = piecesOf(text);
  const deadline = startDeadline(patienceMs);
  try {
    // One after another: others have their turn between two of them.
    for (const [i, piece] of pieces.entries()) {
      const [answer] = await Promise.race([store.run(KEEP, run, field(nonce, i), piece), deadline.passed]);
      if (answer === "gone") return undefined;
    }
    return { pieces: pieces.length, ...(cut && { cut }) };
  } catch {
    const written = pieces.map((_, i) => field(nonce, i));
    // Behind the piece that may still be on its way, on the same connection. Without an answer the run's end takes it away.
    store.redis.hdel(key(store, run), ...written).catch(() => undefined);
    return undefined;
  } finally {
    deadline.clear();
  }
}

/** Nothing when a piece is missing. */
export async function readBlob(
  store: Store,
  run: string,
  nonce: string,
  { pieces }: Pick<Kept, "pieces">,
): Promise<string | undefined> {
  const found: Buffer[] = [];
  for (let i = 0; i < pieces; i++) {
    const piece = await store.redis.hgetBuffer(key(store, run), field(nonce, i));
    if (piece === null) return undefined;
    found.push(piece);
  }
  return joined(found);
}

function key({ prefix }: Store, run: string): string {
  return `${prefix}run:${run}:b`;
}

function field(nonce: string, piece: number): string {
  return `${nonce}:${piece}`;
}

function startDeadline(ms: number): { readonly passed: Promise<never>; clear(): void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("too slow")), ms);
  });
  // Nobody may be waiting for it just then.
  passed.catch(() => undefined);
  return { passed, clear: () => clearTimeout(timer) };
}
