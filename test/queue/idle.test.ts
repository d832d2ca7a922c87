/** Identifiers that have nothing any more cost nothing: however many there were, the same few keys are left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../src/core/journal.ts";
import { redisJournal } from "../../src/queue/journal.ts";
import { CREATE } from "../../src/queue/scripts/create.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { openStore } from "../../src/queue/store.ts";
import { testPrefix, testStore } from "../support/store.ts";

const ENDED: Entry = { kind: "ended", status: "completed" };

test("what is left of identifiers whose runs have ended and expired does not depend on how many there were; a tenant, once named, is kept", async (t) => {
  const base = testStore(t).store;
  /** @returns the keys that are left, and for how many identifiers a tenant is kept */
  const leftOf = async (identifiers: number): Promise<readonly [keys: readonly string[], named: number]> => {
    const store = openStore(base.redis, testPrefix(), { ...base.options, keepMs: 1, perIdentifier: 1, maxLive: 5 });
    const journal = redisJournal(store, { add: async () => undefined, close: async () => undefined });
    const ids = Array.from({ length: identifiers }, (_, i) => `user_${i}`);
    await Promise.all(
      ids.map((user, i) => {
        const tenant = i % 2 === 0 ? `org_${i % 10}` : "";
        const created = JSON.stringify({ kind: "created", agent: "a", identifier: user, input: {} });
        return store.run(CREATE, user, user, "a", user, tenant, "default", 0, "", "h", created, "all", "", "");
      }),
    );
    assert.equal(await store.redis.zcard(`${store.prefix}busy:all`), 5, "the others wait");
    // Whoever has a slot ends.
    for (let ended = 0; ended < identifiers; ended++) {
      const [run = ""] = await store.redis.zrange(`${store.prefix}busy:all`, "0", "0");
      const claim = await journal.claim(run, { nonce: `${run}c`, worker: "w" });
      if (claim.answer !== "claimed") throw new Error(claim.answer);
      const commit = { run, epoch: claim.epoch, length: claim.decisions.length, nonce: `${run}e`, entries: [ENDED] };
      await journal.commit({ ...commit, move: { to: "end", status: "completed" } });
    }
    const named = await store.redis.hlen(`${store.prefix}tenants`);
    const runs = async (): Promise<number> => store.redis.exists(...ids.map((id) => `${store.prefix}run:${id}`));
    while ((await runs()) > 0 || (await store.redis.exists(`${store.prefix}runs:ended`)) > 0) await store.run(DUE, 100);
    const keys = await store.redis.keys(`${store.prefix}*`);
    await store.redis.unlink(...keys);
    return [keys.map((key) => key.slice(store.prefix.length)).toSorted(), named];
  };
  const [few, namedFew] = await leftOf(10);
  const [many, namedMany] = await leftOf(200);
  assert.deepEqual(few, ["sequence", "tenants", "turn"]);
  assert.deepEqual(many, few);
  assert.deepEqual([namedFew, namedMany], [5, 100]);
});
