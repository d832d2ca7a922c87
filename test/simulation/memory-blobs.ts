/** Large results beside the journal. */
import { joined, piecesOf } from "../../src/queue/blobs.ts";
import type { MemoryStore } from "./memory-api.ts";

/** @param find nothing for a run that is no more */
export function createMemoryBlobs(find: (run: string) => unknown): Pick<MemoryStore, "keep" | "kept"> {
  const blobs = new Map<string, string>();
  return {
    keep(id, nonce, text) {
      if (find(id) === undefined) return undefined;
      const { pieces, cut } = piecesOf(text);
      blobs.set(`${id} ${nonce}`, joined(pieces));
      return { pieces: pieces.length, ...(cut && { cut }) };
    },
    kept: (id, nonce) => (find(id) === undefined ? undefined : blobs.get(`${id} ${nonce}`)),
  };
}
