/**
 * Reading runs past the proxy: some on the way, all at the end, and what should not be left. Entry by entry, as they stand there: a
 * journal that the product itself could not read is one more thing to be found.
 */
import type { Decision } from "../../src/core/journal.ts";
import { isFinal, type RunStatus } from "../../src/core/run.ts";
import { decodeDecision, decodeEvidence } from "../../src/queue/codec.ts";
import type { Executed, FinalRun, Snapshot } from "./recorded.ts";
import type { World } from "./world.ts";

export interface ReadBack {
  /** Looks at some runs that have not ended. Never throws: Redis may be away. */
  snapshot(): Promise<void>;
  readonly snapshots: readonly Snapshot[];
  all(): Promise<FinalRun[]>;
  /** Runs that have not ended, with their journals, in words. */
  unended(): Promise<string[]>;
  leftovers(): Promise<string[]>;
}

const SEEN_AT_ONCE = 4;
const MOST_SNAPSHOTS = 600;

export function openReadBack({ store, direct }: World): ReadBack {
  const { redis } = direct;
  const { prefix } = store;
  const snapshots: Snapshot[] = [];
  const read = async (id: string): Promise<FinalRun> => {
    const key = `${prefix}run:${id}`;
    const replies = await redis.multi().hget(key, "status").lrange(`${key}:j`, 0, -1).hvals(`${key}:e`).exec();
    const [status, journal, evidence] = (replies ?? []).map(([error, value]) => {
      if (error !== null) throw error;
      return value;
    });
    return {
      id,
      status: status as RunStatus,
      decisions: (journal as string[]).map(decodeDecision),
      evidence: (evidence as string[]).map(decodeEvidence),
    };
  };
  const all = async (): Promise<FinalRun[]> => {
    const runs: FinalRun[] = [];
    for (const id of await redis.zrange(`${prefix}runs:all`, "0", "-1")) runs.push(await read(id));
    return runs;
  };
  return {
    snapshots,
    snapshot: async () => {
      try {
        const under = await Promise.all(
          ["running", "parked"].map((status) =>
            redis.zrandmember(`${prefix}runs:status:${status}`, String(SEEN_AT_ONCE)),
          ),
        );
        for (const id of under.flat()) if (snapshots.length < MOST_SNAPSHOTS) snapshots.push(await read(id));
      } catch {
        // Nobody can look now.
      }
    },
    all,
    unended: async () => (await all()).filter(({ status }) => !isFinal(status)).map(told),
    leftovers: async () => {
      const found: string[] = [];
      for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1_000 }))
        for (const key of keys as string[]) {
          const name = key.slice(prefix.length);
          if (/^(live|line|busy|waits|ready):/.test(name) || /^gate:.*:w$/.test(name))
            found.push(`${name} holds ${await redis.zcard(key)} runs`);
          if (name.startsWith("run:") && (await redis.pttl(key)) === -1) found.push(`${name} never expires`);
        }
      const looks = await redis.zrange(`${prefix}looks`, "0", "-1");
      return found.concat(looks.filter((name) => name.startsWith("run:")).map((name) => `${name} is still looked at`));
    },
  };
}

/** The emulator knows its calls by the name that the client gave them: `run:call`. */
export function ledgerOf({ scalekit }: World): Executed[] {
  return scalekit.ledger.map(({ tool, identifier, input, agentRunId, at }) => {
    const [run = "", call = ""] = (agentRunId ?? "").split(":");
    return { run, call, tool, identifier, args: input, at };
  });
}

/** A run in words, for whoever has to find out what went wrong. */
export function told({ id, status, decisions, evidence }: FinalRun): string {
  const start = decisions[0]?.at ?? 0;
  const lines = decisions.map((decision) => ({ at: decision.at, text: inWords(decision) }));
  const settled = evidence.map(({ at, call, nonce, outcome }) => ({
    at,
    text: `evidence of ${call} (${nonce.slice(0, 8)}): ${outcome.kind}`,
  }));
  const journal = [...lines, ...settled].toSorted((a, b) => a.at - b.at);
  return [`${id} (${status})`, ...journal.map(({ at, text }) => `  +${at - start} ms  ${text}`)].join("\n");
}

function inWords({ kind, epoch, at: _at, ...rest }: Decision): string {
  const brief = JSON.stringify(rest, (key, value: unknown) =>
    ["context", "verbatim", "usage", "args", "argsHash"].includes(key) ? undefined : value,
  );
  return `${kind} [${epoch}] ${brief.slice(0, 400)}`;
}
