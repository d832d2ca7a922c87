/** Providers that work on answers in the background: named at once, there after a while, and sometimes gone. */
import type { ModelFailure, ModelReply } from "../../src/core/messages.ts";
import type { Background } from "../../src/ports/model.ts";
import type { Hold } from "./checker.ts";
import type { Network } from "./network.ts";
import { LEASE_MS, type World } from "./world.ts";

interface Answer {
  readonly readyAt: number;
  readonly reply: ModelReply;
}

export interface Asked {
  readonly background: Background;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Made when the provider takes the request. */
  readonly reply: () => ModelReply;
}

export interface InBackground {
  /** Some runs' models answer like that. */
  wanted(hold: Hold): boolean;
  respond(hold: Hold, asked: Asked): Promise<ModelReply>;
}

const GONE_AT = 0.01;

export function createBackground(world: World, network: Network): InBackground {
  const { dice, time } = world;
  const answers = new Map<string, Answer>();
  let named = 0;

  const failure = (background: ModelFailure["background"]): ModelFailure => ({
    kind: "failure",
    class: "retry",
    message: `${background}`,
    ...(background !== undefined && { background }),
  });

  const fetched = async (hold: Hold, id: string, asked: Asked, until: number): Promise<ModelReply> => {
    for (;;) {
      if (asked.signal.aborted) return failure("running");
      if (asked.background.leaves()) return failure("left");
      if (dice.chance(GONE_AT)) answers.delete(id);
      const found = await network.request(hold.process, dice.between(50, 2_000), () => answers.get(id));
      if (found === undefined) return failure("gone");
      if (time.now >= found.readyAt) return found.reply;
      if (time.now > until) return failure("running");
    }
  };

  return {
    // By its name: no throw of the dice, so that the stories of other runs stay as they are. In one world of four: asking takes steps.
    wanted: ({ run }) => world.seed % 4 === 1 && /[05]$/.test(run),
    async respond(hold, asked) {
      const until = time.now + asked.timeoutMs;
      const { accepted, accept } = asked.background;
      if (accepted !== undefined) {
        world.count("fetched by another");
        return fetched(hold, accepted.answer, asked, until);
      }
      const id = await network.request(hold.process, dice.between(1, 200), () => {
        const name = `resp_${++named}`;
        answers.set(name, { readyAt: time.now + dice.between(10, 3 * LEASE_MS), reply: asked.reply() });
        return name;
      });
      return (await accept({ answer: id })) ? fetched(hold, id, asked, until) : failure("left");
    },
  };
}
