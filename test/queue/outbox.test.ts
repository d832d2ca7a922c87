/** Events reach the app at least once, whatever its function, its process or Redis does; and what fails keeps nobody else waiting. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { AuthorizationEvent } from "../../src/core/authorization.ts";
import type { Need } from "../../src/core/run.ts";
import type { Log } from "../../src/ports/log.ts";
import { createOutbox, type Outbox, type OutboxOptions } from "../../src/queue/outbox.ts";
import { quiet, testStore } from "../support/store.ts";
import type { Store } from "../../src/queue/store.ts";

type Event = AuthorizationEvent<Need>;

interface Stage {
  readonly store: Store;
  readonly told: Event[];
  /** A process of its own. */
  readonly outbox: (options?: Partial<OutboxOptions>) => Outbox;
  /** As a script writes it: who needs gmail. */
  readonly write: (identifier: string) => Promise<string>;
}

function stage(t: TestContext): Stage {
  const { store } = testStore(t);
  const { redis, prefix } = store;
  const told: Event[] = [];
  const tell = (event: Event): void => void told.push(event);
  const write = async (identifier: string): Promise<string> => {
    const fields = ["type", "authorization.required", "run", "r1", "agent", "note"];
    const needs = `account/${identifier}/gmail=expired account/${identifier}/Google%20Drive=not-connected`;
    return (await redis.xadd(`${prefix}events`, "*", ...fields, "needs", needs)) ?? "";
  };
  return {
    store,
    told,
    write,
    outbox: (options = {}) =>
      createOutbox({ redis, prefix, tell, log: quiet, everyMs: 1, retryAfterMs: () => 1, ...options }),
  };
}

const who = (events: readonly Event[]): string[] => events.map(({ identifier }) => identifier);
const pending = async ({ redis, prefix }: Store): Promise<number> =>
  Number((await redis.xpending(`${prefix}events`, "app"))[0]);

test("an event is told once, with an id, a time, and all that is needed", async (t) => {
  const { store, told, outbox, write } = stage(t);
  const id = await write("ada");
  const one = outbox();
  await one.pass();
  await one.pass();
  await outbox().pass();
  assert.deepEqual(told, [
    {
      id,
      at: Number(id.split("-")[0]),
      type: "authorization.required",
      identifier: "ada",
      run: "r1",
      agent: "note",
      needs: [
        { connection: "gmail", reason: "expired" },
        { connection: "Google Drive", reason: "not-connected" },
      ],
    },
  ]);
  assert.equal(await pending(store), 0);
});

test("an app's function that throws: the others are told, and it is told again with the same id", async (t) => {
  const { store, told, outbox, write } = stage(t);
  const ids = [await write("ada"), await write("bob"), await write("carol")];
  let throws = 2;
  const process = outbox({
    tell: (event) => {
      told.push(event);
      if (event.identifier === "ada" && throws-- > 0) throw new Error("mail server");
    },
  });
  await process.pass();
  assert.deepEqual(who(told), ["ada", "bob", "carol"]);
  while ((await pending(store)) > 0) await process.pass();
  assert.deepEqual(
    told.slice(3).map(({ id }) => id),
    [ids[0], ids[0]],
  );
});

test("after so many attempts it is given up, and the log says so", async (t) => {
  const { store, outbox, write } = stage(t);
  const id = await write("ada");
  const errors: unknown[] = [];
  const log: Log = { ...quiet, error: (event, fields) => void errors.push([event, fields]) };
  let calls = 0;
  const tell = (): Promise<void> => {
    calls++;
    return Promise.reject(new Error("never"));
  };
  const process = outbox({ tell, log, attempts: 3 });
  do await process.pass();
  while ((await pending(store)) > 0);
  assert.equal(calls, 3);
  assert.deepEqual(errors, [["event.given-up", { id, told: 3 }]]);
});

test("one that hangs counts as failed after its time, and others are told meanwhile", async (t) => {
  const { store, told, outbox, write } = stage(t);
  await write("ada");
  await write("bob");
  let hangs = true;
  const tell = (event: Event): Promise<void> | undefined => {
    if (event.identifier === "ada" && hangs) return new Promise(() => undefined);
    told.push(event);
    return undefined;
  };
  const process = outbox({ tell, timeoutMs: 20 });
  await process.pass();
  assert.deepEqual(who(told), ["bob"]);
  hangs = false;
  while ((await pending(store)) > 0) await process.pass();
  assert.deepEqual(who(told), ["bob", "ada"]);
});

test("a process that died with an event in its hands: another one tells it", async (t) => {
  const { store, told, outbox, write } = stage(t);
  await outbox().pass();
  await write("ada");
  await store.redis.xreadgroup("GROUP", "app", "dead", "COUNT", 10, "STREAMS", `${store.prefix}events`, ">");
  const process = outbox();
  while (told.length === 0) await process.pass();
  assert.deepEqual([who(told), await pending(store)], [["ada"], 0]);
});

test("many processes share the events: each is told once", async (t) => {
  const { told, outbox, write } = stage(t);
  const processes = [outbox({ retryAfterMs: () => 60_000 }), outbox({ retryAfterMs: () => 60_000 })];
  for (const it of processes) it.start();
  await Promise.all(Array.from({ length: 200 }, (_, i) => write(`user_${i}`)));
  while (told.length < 200) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all(processes.map((it) => it.close()));
  assert.equal(new Set(who(told)).size, 200);
  assert.equal(told.length, 200);
});

test("what waits for its next attempt does not hide what is due, however much there is of it", async (t) => {
  const { store, told, outbox, write } = stage(t);
  for (let i = 0; i < 250; i++) await write(`user_${i}`);
  const stream = `${store.prefix}events`;
  const all = async (): Promise<[string, string, number, number][]> =>
    (await store.redis.xpending(stream, "app", "-", "+", 1_000)) as [string, string, number, number][];
  const retryAfterMs = (times: number): number => (times === 1 ? 1 : 3_600_000);
  const failing = outbox({ tell: () => Promise.reject(new Error("down")), retryAfterMs });
  do await failing.pass();
  while ((await all()).length < 250 || (await all()).some(([, , , times]) => times < 2));
  const due = (await all()).at(-1)?.[0] ?? "";
  await store.redis.xclaim(stream, "app", "any", 0, due, "RETRYCOUNT", 1, "JUSTID");
  const process = outbox({ retryAfterMs });
  while (told.length === 0) await process.pass();
  assert.deepEqual(who(told), ["user_249"]);
});

test("a user's events come one after the other", async (t) => {
  const { told, outbox, write } = stage(t);
  for (let i = 0; i < 5; i++) await write("ada");
  let atOnce = 0;
  const process = outbox({
    tell: async (event) => {
      assert.equal(++atOnce, 1);
      await new Promise((resolve) => setImmediate(resolve));
      told.push(event);
      atOnce--;
    },
  });
  await process.pass();
  const ids = told.map(({ id }) => id);
  assert.equal(ids.length, 5);
  assert.deepEqual(ids, ids.toSorted());
});

test("a Redis that lost the group, or everything, is no end", async (t) => {
  const { store, told, outbox, write } = stage(t);
  const process = outbox();
  await process.pass();
  await store.redis.del(`${store.prefix}events`);
  await assert.rejects(process.pass(), /NOGROUP/);
  await write("ada");
  await process.pass();
  assert.deepEqual(who(told), ["ada"]);
});

test("an event of a newer version is left to those who know it", async (t) => {
  const { store, told, outbox, write } = stage(t);
  await store.redis.xadd(
    `${store.prefix}events`,
    "*",
    "type",
    "authorization.sold",
    "needs",
    "account/ada/gmail=expired",
  );
  await write("bob");
  await outbox({ retryAfterMs: () => 60_000 }).pass();
  assert.deepEqual([who(told), await pending(store)], [["bob"], 1]);
});

test("closing waits for what is being told", async (t) => {
  const { store, told, outbox, write } = stage(t);
  await write("ada");
  let finish: () => void = () => undefined;
  let begun: () => void = () => undefined;
  const isBegun = new Promise<void>((resolve) => (begun = resolve));
  const process = outbox({
    tell: async (event) => {
      begun();
      await new Promise<void>((resolve) => (finish = resolve));
      told.push(event);
    },
  });
  process.start();
  await isBegun;
  let isClosed = false;
  const closing = process.close().then(() => (isClosed = true));
  for (let i = 0; i < 5; i++) await store.redis.ping();
  assert.equal(isClosed, false);
  finish();
  await closing;
  assert.deepEqual(who(told), ["ada"]);
});
