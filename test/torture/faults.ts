/** The faults, one row each: what it does to the world, and what ends it. Each resolves when it is over and counts as injected then. */
import { setTimeout as after } from "node:timers/promises";
import { Queue } from "bullmq";
import { bullPrefix } from "../../src/queue/tickets.ts";
import { AGENTS } from "./agents.ts";
import { CONNECTION } from "./tools.ts";
import type { Crew } from "./crew.ts";
import type { Kind, PlannedFault } from "./plan.ts";
import type { Loss } from "./recorded.ts";
import { killRedis } from "./witness.ts";
import type { World } from "./world.ts";

/** The dice of one fault. */
export type Dice = Pick<PlannedFault, "who" | "how" | "long">;

export interface Scene {
  readonly world: World;
  readonly crew: Crew;
  readonly identifiers: readonly string[];
  readonly onLoss: (loss: Loss) => void;
}

type Inject = (scene: Scene, dice: Dice) => Promise<unknown>;

/** At the end of a storm none may come any more. */
const MOST_WAIT_FOR_ENQUEUES_MS = 3_000;
const between = (low: number, high: number, share: number): number => Math.round(low + share * (high - low));
const QUEUE = AGENTS[0]?.queue ?? "default";

export const FAULTS: Readonly<Record<Kind, Inject>> = {
  kill: ({ crew }, { who }) => crew.kill(who),
  /** Longer than its lease: others take its runs, and then it goes on where it was. */
  pause: ({ crew, world }, { who, long }) => crew.pause(who, world.surroundings.leaseMs * (1.3 + 2.7 * long)),
  terminate: ({ crew }, { who }) => crew.terminate(who),
  cut: async ({ world: { proxy } }) => proxy.cut(),
  /** Redis does what it is asked, and nobody hears of it: of a few commands, or of so many that apps give up. */
  "lose-replies": async ({ world: { proxy } }, { how }) => proxy.loseReplies(how < 0.7 ? between(1, 8, how) : 25),
  /** A run is made, and its app does not hear of it: its client sends the same command again. */
  "lose-enqueue-reply": async ({ world: { enqueues } }, { how }) => {
    enqueues.lose(between(6, 12, how));
    for (let waited = 0; waited < MOST_WAIT_FOR_ENQUEUES_MS && enqueues.toLose() > 0; waited += 20) await after(20);
    enqueues.lose(0);
  },
  /** Most of the time a nuisance; one in five outlasts the leases of all. */
  slow: async ({ world: { proxy, surroundings } }, { how, long }) => {
    proxy.delay(how < 0.2 ? surroundings.leaseMs * 1.3 : between(20, 250, how));
    await after(between(300, 1_500, long));
    proxy.delay(0);
  },
  /** Nobody reaches Redis. */
  refuse: async ({ world: { proxy, surroundings } }, { long }) => {
    proxy.refuse();
    await after(between(100, 1.5 * surroundings.leaseMs, long));
    proxy.accept();
  },
  "kill-redis": async ({ world: { redis, direct }, onLoss }) => {
    const loss = await killRedis(redis, direct.redis);
    if (loss !== undefined) onLoss(loss);
  },
  "flush-scripts": ({ world: { direct } }) => direct.redis.script("FLUSH"),
  "drop-tickets": ({ world }, { how }) => dropTickets(world, how),
  "lose-account": async ({ world: { scalekit }, identifiers }, { who, how, long }) => {
    const identifier = identifiers[Math.floor(who * identifiers.length)] ?? "";
    const expire = (["now", "refused", "never"] as const)[Math.floor(how * 3)] ?? "now";
    scalekit.revoke(identifier, CONNECTION, { expire });
    await after(between(200, 1_500, long));
    scalekit.connect(identifier, CONNECTION);
  },
  /** The tool did it, and the answer is lost. */
  "lose-tool-reply": async ({ world: { scalekit } }) => {
    scalekit.faults.add({ method: "ExecuteTool", when: "after", reset: true });
    await scalekit.waitFor("execute", undefined, 10_000).catch(() => undefined);
  },
};

/** By BullMQ's own means, as an operator does who takes the queue for a cache. */
async function dropTickets({ direct: { redis }, store }: World, how: number): Promise<void> {
  const queue = new Queue(QUEUE, { connection: redis, prefix: bullPrefix(store.prefix) });
  try {
    if (how < 0.4) await queue.obliterate({ force: true });
    else if (how < 0.7) await queue.drain(true);
    else await queue.clean(0, 1_000, "wait");
  } finally {
    // `obliterate` pauses the queue first; if it did not get further, that is not what is tested here.
    await queue.resume();
    await queue.close();
  }
}
