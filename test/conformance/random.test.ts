/**
 * Both stores get the same random operations; after each one they must have said the same and hold the same. What the cases of the
 * suite forget is found here. Some operations are sent twice.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../../src/core/journal.ts";
import type { Claim, Move } from "../../src/ports/journal.ts";
import { createRequest, memorySubject, redisSubject, type Subject } from "./subject.ts";

const IDS = ["a", "b", "c", "d"] as const;
/** Two accounts of ann, one of bob, and a gate of another kind; who parks where is nobody's concern here. */
const GATES = ["account/ann/g", "account/ann/h", "account/bob/g", "other"] as const;
const REASONS = ["expired", "refused"] as const;
/** Far from all sums of what `age` adds. */
const REMIND_AFTER_MS = [25_500, 70_500];
const LINES = ["default:ann", "default:bob"] as const;
const MOVES = ["stay", "stay", "line", "moment", "gate", "accounts", "accounts", "accounts", "end"] as const;
const FAR = 4_000_000_000_000;

type Op =
  | {
      readonly do: "create";
      readonly run: string;
      readonly priority: number;
      readonly idem: string;
      readonly coalesce: "all" | "latest" | "skip";
    }
  | { readonly do: "claim"; readonly run: string; readonly with: "ticket" | "old" | "none" }
  | { readonly do: "renew" | "cancel" | "evidence"; readonly run: string; readonly old: boolean }
  | {
      readonly do: "commit";
      readonly run: string;
      readonly to: (typeof MOVES)[number];
      readonly gate: string;
      /** Of a park for accounts: which of the first three. */
      readonly needs: readonly number[];
      readonly after: boolean;
      readonly prepared: boolean;
      readonly old: boolean;
      readonly wrong: boolean;
      readonly sameNonce: boolean;
    }
  | { readonly do: "open"; readonly gate: string; readonly changed: number | undefined }
  | { readonly do: "looked" | "remind"; readonly gate: string }
  | { readonly do: "age"; readonly ms: number }
  | { readonly do: "due" };

const run = fc.constantFrom(...IDS);
const rarely = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("create" as const),
      run,
      priority: fc.constantFrom(0, 5, -5),
      idem: fc.constantFrom("", "", "k"),
      coalesce: fc.constantFrom("all", "all", "latest", "skip"),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      run,
      with: fc.constantFrom("ticket", "ticket", "ticket", "old", "none"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("renew", "cancel", "evidence"), run, old: rarely }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      run,
      to: fc.constantFrom(...MOVES),
      gate: fc.constantFrom(...GATES),
      needs: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 }),
      after: fc.boolean(),
      prepared: rarely,
      old: rarely,
      wrong: rarely,
      sameNonce: rarely,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("open" as const),
      gate: fc.constantFrom(...GATES),
      changed: fc.constantFrom(undefined, 4_000, 6_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("looked", "remind"), gate: fc.constantFrom(...GATES) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("age" as const), ms: fc.constantFrom(3_000, 17_000, 31_000, 61_000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("due" as const) }) },
);

/** One store, and what a client of it remembers. */
interface Side {
  readonly subject: Subject;
  readonly claims: Map<string, Claim[]>;
  readonly tickets: Map<string, string>;
}

async function perform(side: Side, it: Op, step: number): Promise<unknown> {
  const { subject, claims, tickets } = side;
  switch (it.do) {
    case "create": {
      const identifier = it.run < "c" ? "ann" : "bob";
      const { run, priority, coalesce } = it;
      const idem = it.idem + identifier;
      const reply = await subject.create(
        createRequest({ run, nonce: `create-${run}`, identifier, priority, idem, coalesce, from: step }),
      );
      return reply;
    }
    case "claim": {
      const current = (await subject.header(it.run))?.ticket ?? "0";
      const ticket = it.with === "old" ? (tickets.get(it.run) ?? "1") : current;
      tickets.set(it.run, current);
      const reply = await subject.journal.claim(it.run, {
        ...(it.with !== "none" && { ticket }),
        nonce: `claim-${step}`,
        worker: "w",
      });
      if (reply.answer !== "claimed") return reply.answer;
      claims.set(it.run, [...(claims.get(it.run) ?? []), reply]);
      return [
        reply.answer,
        reply.cancelled,
        reply.decisions.map((d) => d.kind),
        reply.evidence.map((e) => e.nonce).toSorted(),
      ];
    }
    case "commit": {
      const mine = claims.get(it.run) ?? [];
      const claim = it.old ? mine[0] : mine.at(-1);
      const have = (await subject.header(it.run))?.length ?? 0;
      const length = Math.max(0, have + (it.wrong ? 1 : it.sameNonce ? -1 : 0));
      const move = await moveOf(subject, it);
      const entries: Entry[] = [
        ...(it.prepared ? [{ kind: "prepared", accounts: {} } as const] : []),
        move.to === "gate" || move.to === "accounts" ? { kind: "parked", reason: "account" } : { kind: "yielded" },
      ];
      const reply = await subject.journal.commit({
        run: it.run,
        epoch: claim?.epoch ?? 1,
        length,
        nonce: it.sameNonce ? `commit-${it.run}` : `commit-${it.run}-${step}`,
        entries,
        move,
      });
      return reply.answer === "ok" ? [reply.answer, reply.cancelled] : reply.answer;
    }
    case "renew": {
      const mine = claims.get(it.run) ?? [];
      return subject.journal.renew(it.run, (it.old ? mine[0] : mine.at(-1))?.epoch ?? 1);
    }
    case "cancel":
      return subject.cancel(it.run);
    case "evidence": {
      const sent = {
        nonce: it.old ? "i" : `i${step}`,
        call: "c",
        tool: "t",
        argsHash: "h",
        tookMs: 1,
        outcome: { kind: "ok", data: step },
      } as const;
      const won = await subject.journal.evidence(it.run, sent);
      return won === undefined ? won : { ...won, at: 0 };
    }
    case "open":
      return subject.gates.open(it.gate, it.changed);
    case "looked":
      return subject.gates.looked([{ gate: it.gate, reason: "disconnected" }]);
    case "remind":
      return subject.remind(`remind-${step}`, [it.gate, "account/ann/g"]);
    case "age":
      return subject.age(it.ms);
    case "due": {
      const { gates, tickets: made } = await subject.due();
      return [gates.toSorted(), made.map((t) => t.run).toSorted()];
    }
  }
}

async function moveOf(
  subject: Subject,
  { to, gate, needs, after, wrong }: Extract<Op, { do: "commit" }>,
): Promise<Move> {
  const version = async (of: string): Promise<number> => (await subject.gates.version(of)) + (wrong ? 1 : 0);
  switch (to) {
    case "gate":
      return { to, gate, version: await version(gate), until: FAR };
    case "accounts": {
      const reason = REASONS[needs.length % 2] ?? "expired";
      const named = await Promise.all(
        needs.map(async (n) => ({ gate: GATES[n] ?? "", version: await version(GATES[n] ?? ""), reason })),
      );
      return { to, needs: named, ...(after && { after: 5_000 }), until: FAR };
    }
    case "moment":
      return { to, until: subject.now() + 5_000 };
    case "end":
      return { to, status: after ? "completed" : "expired" };
    default:
      return { to };
  }
}

/** What a store holds, without the numbers that differ. */
async function held({ subject }: Side): Promise<unknown> {
  const runs = await Promise.all(
    IDS.map(async (id) => {
      const found = await subject.header(id);
      return found === undefined ? undefined : { ...found, ticket: 0, epoch: found.epoch > 0, lease: found.lease > 0 };
    }),
  );
  const lines = await Promise.all(LINES.map(async (line) => [await subject.live(line), await subject.waiting(line)]));
  const waiters = await Promise.all(GATES.map((gate) => subject.waiters(gate)));
  return { runs, lines, waiters, records: await subject.authorizations(), told: await subject.events() };
}

test("memory and Redis do the same, whatever is asked", async (t) => {
  const side = (subject: Subject): Side => ({ subject, claims: new Map(), tickets: new Map() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(op, rarely), { minLength: 20, maxLength: 60 }),
      fc.constantFrom(1, 2),
      async (ops, perIdentifier) => {
        const memory = side(memorySubject(t, { perIdentifier, remindAfterMs: REMIND_AFTER_MS }));
        const redis = side(redisSubject(t, { perIdentifier, remindAfterMs: REMIND_AFTER_MS }));
        for (const [step, [it, again]] of ops.entries())
          for (let times = again ? 2 : 1; times > 0; times--) {
            const what = `step ${step}: ${JSON.stringify(it)}`;
            const [one, other] = [await perform(memory, it, step), await perform(redis, it, step)];
            assert.deepEqual(one, other, `${what}: memory and Redis say the same`);
            assert.deepEqual(await held(memory), await held(redis), `${what}: memory and Redis hold the same`);
          }
      },
    ),
    { numRuns: 40, seed: 7 },
  );
});
