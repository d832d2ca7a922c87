/** Where worlds are made: one connection, and names for their keys, which are taken away as they are no longer needed. */
import { randomUUID } from "node:crypto";
import { connect } from "../../src/queue/connect.ts";
import { removeKeys } from "../support/store.ts";
import type { Mutant } from "./mutants.ts";
import type { Stage } from "./play.ts";

/** Worlds whose keys are taken away together. */
const TOGETHER = 500;

export interface OpenStage extends Stage {
  with(mutant: Mutant): Stage;
  close(): Promise<void>;
}

export function openStage(url: string): OpenStage {
  const connection = connect(url, true);
  const { redis } = connection;
  const id = `races-${randomUUID().slice(0, 8)}`;
  let made = 0;
  const removing: Promise<void>[] = [];
  const name = (): string => {
    const part = Math.floor(made / TOGETHER);
    // Those that are still being played are of this part or of the one before.
    if (made++ % TOGETHER === 0 && part >= 2) removing.push(removeKeys(redis, `{${id}-${part - 2}-`));
    return `${id}-${part}-${made}`;
  };
  const stage = { redis, name };
  return {
    ...stage,
    with: (mutant) => ({ ...stage, mutant }),
    close: async () => {
      await Promise.all(removing);
      await removeKeys(redis, `{${id}-`);
      await connection.close();
    },
  };
}
