/**
 * A store whose every operation is sent twice with one nonce, as ioredis does when a reply was lost. The second reply is the one
 * that arrives; it must say what the first one said.
 */
import assert from "node:assert/strict";
import type { Subject } from "./subject.ts";

export function sentTwice(subject: Subject): Subject {
  const { journal, gates } = subject;
  return {
    ...subject,
    journal: {
      leaseMs: journal.leaseMs,
      claim: (...asked) => twice(() => journal.claim(...asked)),
      renew: (...asked) => twice(() => journal.renew(...asked)),
      commit: (...asked) => twice(() => journal.commit(...asked)),
      evidence: (...asked) => twice(() => journal.evidence(...asked)),
      keep: (...asked) => twice(() => journal.keep(...asked)),
      kept: (...asked) => twice(() => journal.kept(...asked)),
    },
    gates: {
      version: (gate) => gates.version(gate),
      // Each opening is one of its own; the second finds nobody left.
      open: async (...asked) => {
        await gates.open(...asked);
        await gates.open(...asked);
      },
      looked: (...asked) => twice(() => gates.looked(...asked)),
    },
    create: (...asked) => twice(() => subject.create(...asked)),
    remind: (...asked) => twice(() => subject.remind(...asked)),
    // Each is one of its own; the second finds it done.
    pause: async (name) => {
      const isNew = await subject.pause(name);
      await subject.pause(name);
      return isNew;
    },
    resume: async (name) => {
      const was = await subject.resume(name);
      await subject.resume(name);
      return was;
    },
    cancel: (...asked) => twice(() => subject.cancel(...asked)),
    decide: async (...asked) => {
      const one = await subject.decide(...asked);
      assert.equal(await subject.decide(...asked), one === "ok" ? "was" : one);
      return one;
    },
    // The second one finds the first, whatever either of them says.
    answer: async (...asked) => {
      const one = await subject.answer(...asked);
      assert.equal(await subject.answer(...asked), one === "ok" ? "was" : one);
      return one;
    },
  };
}

async function twice<T>(send: () => Promise<T>): Promise<T> {
  const one = await send();
  const two = await send();
  assert.deepEqual(timeless(two), timeless(one), "sent again, it says the same");
  return two;
}

/** A claim tells the store's time, which goes on. */
function timeless<T>(reply: T): T {
  return typeof reply === "object" && reply !== null && "now" in reply ? { ...reply, now: 0 } : reply;
}
