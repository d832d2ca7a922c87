/** The scripts on Redis as a store under test: by Redis's own clock, or by one that stands still. */
import { approvalGate, reviewGate } from "../../src/core/gate.ts";
import type { Journal } from "../../src/ports/journal.ts";
import { decodeTickets } from "../../src/queue/codec.ts";
import { redisGates, type RedisGates, redisJournal } from "../../src/queue/journal.ts";
import { ANSWER } from "../../src/queue/scripts/answer.ts";
import { CANCEL } from "../../src/queue/scripts/cancel.ts";
import { CREATE } from "../../src/queue/scripts/create.ts";
import { DECIDE } from "../../src/queue/scripts/decide.ts";
import { DUE } from "../../src/queue/scripts/due.ts";
import { REMIND } from "../../src/queue/scripts/remind.ts";
import { SWEEP } from "../../src/queue/scripts/sweep.ts";
import { PAUSE, RESUME } from "../../src/queue/scripts/switches.ts";
import { WEIGH } from "../../src/queue/scripts/weights.ts";
import type { Store, StoreOptions } from "../../src/queue/store.ts";
import { stillTime } from "../support/manual-time.ts";
import { testStore } from "../support/store.ts";
import { ageAsking, redisAsking } from "./asking-subject.ts";
import { answerOf } from "./request.ts";
import { type Authorization, decisionOf, type OpenSubject, type Subject } from "./subject.ts";

export const redisSubject: OpenSubject = (t, options) => {
  const { store, journal, gates } = testStore(t, options);
  return onRedis({ store, journal, gates, now: () => Date.now() }, options);
};

/** Of this process: one text of each script, and not one for each test. */
const STILL_AT = Date.now();

/** All that is done is done in one millisecond, but for what `age` moves: on a machine that is fast enough, anything may be. */
export const stillSubject: OpenSubject = (t, options) => {
  const { store: moving, tickets } = testStore(t, options);
  const store = stillTime(moving, STILL_AT);
  return onRedis(
    { store, journal: redisJournal(store, tickets), gates: redisGates(store, tickets), now: () => STILL_AT },
    options,
  );
};

interface RedisParts {
  readonly store: Store;
  readonly journal: Journal;
  readonly gates: RedisGates;
  readonly now: () => number;
}

function onRedis({ store, journal, gates, now }: RedisParts, options: Partial<StoreOptions> | undefined): Subject {
  const { redis, prefix } = store;
  return {
    journal,
    gates,
    ...redisAsking(store),
    create: async ({ run, nonce, queue, priority, idem, inputHash, created, coalesce = "all" }) => {
      const { agent, identifier, tenant = "" } = created;
      const first = JSON.stringify(created);
      const args = [run, nonce, agent, identifier, tenant, queue, priority, idem, inputHash, first] as const;
      const [answer, what] = (
        await store.run(CREATE, ...args, coalesce, created.covers?.from ?? "", options?.agentCaps?.get(agent) ?? "")
      ).map(String);
      if (answer === "tenant") return { answer, tenant: what ?? "" };
      if (answer === "ok" || answer === "same" || answer === "conflict" || answer === "skipped")
        return { answer, run: what ?? "" };
      throw new Error(`create: ${answer}`);
    },
    cancel: async (run) => String((await store.run(CANCEL, run))[0]),
    answer: async (run, intent, says) => {
      const text = JSON.stringify(answerOf(intent, says));
      return String((await store.run(ANSWER, run, intent, text, reviewGate(run)))[0]);
    },
    evidenceExpires: async (run) => (await redis.pttl(`${prefix}run:${run}:e`)) > 0,
    decide: async (run, asked, kind, argsHash = "h", call = "t0c0") => {
      const text = JSON.stringify(decisionOf(asked, kind, argsHash, call));
      return String((await store.run(DECIDE, run, asked, call, text, approvalGate(run)))[0]);
    },
    approvals: async () => (await redis.zrange(`${prefix}approvals`, "0", "-1")).toSorted(),
    unknowns: async () => (await redis.zrange(`${prefix}unknowns`, "0", "-1")).toSorted(),
    due: async () => {
      const [, rounds, , ...made] = await store.run(DUE, 100);
      const gates: string[] = [];
      for (const round of String(rounds).split(" ").filter(Boolean))
        gates.push(...(await store.run(SWEEP, round, 100, "")).slice(2).map(String));
      return { gates, tickets: decodeTickets(made) };
    },
    header: async (run) => {
      const h = await redis.hgetall(`${prefix}run:${run}`);
      if (h["status"] === undefined) return undefined;
      return {
        status: h["status"],
        place: h["place"] ?? "",
        reason: h["reason"] ?? "",
        ticket: h["ticket"] ?? "",
        epoch: Number(h["epoch"]),
        lease: Number(h["lease"]),
        length: await redis.llen(`${prefix}run:${run}:j`),
        cancel: h["cancel"] === "1",
        supersededBy: h["superseded-by"] ?? "",
        expires: (await redis.pttl(`${prefix}run:${run}`)) > 0,
        looked: (await redis.zscore(`${prefix}looks`, `run:${run}`)) !== null,
        needs: (h["needs"] ?? "")
          .split(" ")
          .filter(Boolean)
          .map((word) => (word.startsWith("/") ? `account/${encodeURIComponent(h["identifier"] ?? "")}${word}` : word)),
      };
    },
    live: async (line) => (await redis.zrange(`${prefix}live:${line}`, "0", "-1")).toSorted(),
    waiting: (line) => redis.zrange(`${prefix}line:${line}`, "0", "-1"),
    waiters: async (gate) => (await redis.zrange(`${prefix}gate:${gate}:w`, "0", "-1")).toSorted(),
    authorizations: async () => {
      const found: Authorization[] = [];
      for (const gate of await redis.zrange(`${prefix}auths`, "0", "-1")) {
        const { reason = "", reminded = "" } = await redis.hgetall(`${prefix}auth:${gate}`);
        const runs = (await redis.zrange(`${prefix}auth:${gate}:n`, "0", "-1")).toSorted();
        const reminds = (await redis.zscore(`${prefix}looks`, `remind:${gate}`)) !== null;
        found.push({ gate, reason, runs, reminded: Number(reminded), reminds });
      }
      return found;
    },
    ofAuthorizations: async () => {
      const looks = await redis.zrange(`${prefix}looks`, "0", "-1");
      return [...(await redis.keys(`${prefix}auth*`)), ...looks.filter((member) => member.startsWith("remind:"))];
    },
    events: async () => {
      const told = await redis.xrange(`${prefix}events`, "-", "+");
      return told.map(([, flat]) => {
        const of = Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] ?? ""]] : [])));
        return ["type", "run", "needs", "number", "manual"].map((name) => of[name] ?? "").join(" | ");
      });
    },
    pause: async (name) => (await store.run(PAUSE, name, "{}"))[0] === "",
    resume: async (name) => {
      let [was, more] = await store.run(RESUME, name, 100, "1");
      while (more === "1") [, more] = await store.run(RESUME, name, 100, "");
      return was !== "";
    },
    weigh: async (name, weight) => Number((await store.run(WEIGH, name, weight))[0]),
    remind: async (nonce, gates) => Number((await store.run(REMIND, nonce, ...gates))[0]),
    now,
    age: async (ms) => {
      await ageAsking(store, ms);
      for (const gate of await redis.zrange(`${prefix}auths`, "0", "-1"))
        await redis.hincrby(`${prefix}auth:${gate}`, "since", String(-ms));
      const looks = await redis.zrange(`${prefix}looks`, "0", "-1");
      for (const member of looks) {
        await redis.zincrby(`${prefix}looks`, -ms, member);
        if (!member.startsWith("sweep:")) continue;
        for (const gate of await redis.zrange(`${prefix}${member}`, "0", "-1"))
          await redis.zincrby(`${prefix}${member}`, -ms, gate);
      }
      for (const id of await redis.zrange(`${prefix}runs:all`, "0", "-1")) {
        const lease = Number(await redis.hget(`${prefix}run:${id}`, "lease"));
        if (lease > 0) await redis.hset(`${prefix}run:${id}`, "lease", String(Math.max(1, lease - ms)));
      }
    },
    setVersion: async (run, version) => {
      await redis.hset(`${prefix}run:${run}`, "version", String(version));
    },
  };
}
