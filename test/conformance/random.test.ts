/**
 * Both stores get the same random operations; after each one they must have said the same and hold the same. What the cases of the
 * suite forget is found here. Some operations are sent twice.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { reviewGate } from "../../src/core/gate.ts";
import type { Entry } from "../../src/core/journal.ts";
import { answerNonce } from "../../src/core/outcome.ts";
import { switchGate } from "../../src/core/switches.ts";
import type { Claim, Move } from "../../src/ports/journal.ts";
import { GATES, IDS, type Op, op, rarely } from "./operations.ts";
import type { StoreOptions } from "../../src/queue/store.ts";
import { createRequest } from "./request.ts";
import { redisSubject } from "./redis-subject.ts";
import { memorySubject, type Subject } from "./subject.ts";

const REASONS = ["expired", "refused"] as const;
/** Far from all sums of what `age` adds. */
const REMIND_AFTER_MS = [25_500, 70_500];
const LINES = ["ann", "bob"].flatMap((who) => ["note", "task", "!"].map((what) => `default:${who} ${what}`));
/** What is full when: one user, one agent of hers, the tenant of both, or everything; an agent with more places than its user has. */
const CAPS: readonly Partial<StoreOptions>[] = [
  { perIdentifier: 1 },
  { perIdentifier: 2 },
  { perIdentifier: 2, agentCaps: new Map([["task", 1]]) },
  { perIdentifier: 1, agentCaps: new Map([["task", 2]]), maxLive: 3 },
  { perIdentifier: 2, perTenant: 1 },
  { perIdentifier: 2, perTenant: 3, maxLive: 2 },
];
const FAR = 4_000_000_000_000;

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
      const { run, priority, coalesce, agent } = it;
      const idem = it.idem + identifier;
      const reply = await subject.create(
        createRequest({
          run,
          nonce: `create-${run}`,
          identifier,
          agent,
          tenant: "acme",
          priority,
          idem,
          coalesce,
          from: step,
        }),
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
        ...(it.to === "review" || it.after ? [unknown(it.needs.length)] : []),
        move.to === "gate" || move.to === "accounts"
          ? { kind: "parked", reason: it.to === "review" ? "review" : "account" }
          : { kind: "yielded" },
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
    case "ask": {
      const reply = await claimed(side, it.run, step);
      if (reply === undefined) return "not claimed";
      const gate = reviewGate(it.run);
      const intent = it.second ? 1 : 0;
      const { answer } = await subject.journal.commit({
        run: it.run,
        epoch: reply.epoch,
        length: reply.decisions.length,
        nonce: `ask-${it.run}-${step}`,
        entries: [unknown(intent), { kind: "parked", reason: "review", about: "c" }],
        move: { to: "gate", gate, version: 0, unless: answerNonce(intentOf(intent)), until: FAR },
      });
      return answer;
    }
    case "answer":
      return subject.answer(it.run, intentOf(it.second ? 1 : 0), it.yes ? "happened" : "stop");
    case "settle": {
      const outcome = it.yes ? ({ kind: "ok", data: 1 } as const) : ({ kind: "unknown", message: "" } as const);
      const sent = { nonce: intentOf(it.second ? 1 : 0), call: "c", tool: "t", argsHash: "h", tookMs: 1, outcome };
      const won = await subject.journal.evidence(it.run, sent);
      return won === undefined ? won : { ...won, at: 0 };
    }
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
    case "pause":
      return subject.pause(it.name);
    case "resume":
      return subject.resume(it.name);
    case "weigh":
      return subject.weigh(it.name, it.weight);
    case "begin": {
      const reply = await claimed(side, it.run, step);
      if (reply === undefined) return "not claimed";
      const { epoch, decisions } = reply;
      const given = { run: it.run, epoch, length: decisions.length };
      const asks: Entry = { kind: "turn-requested", turn: 0, attempt: 1, final: false, shown: [] };
      const said = await subject.journal.commit({
        ...given,
        nonce: `begin-${step}`,
        entries: [asks],
        move: { to: "stay" },
      });
      if (said.answer !== "stopped") return said.answer;
      const paused: Entry = { kind: "parked", reason: "paused", about: said.by };
      const gate = switchGate(said.by);
      const { answer } = await subject.journal.commit({
        ...given,
        nonce: `paused-${step}`,
        entries: [paused],
        move: { to: "gate", gate, version: said.version, until: subject.now() + 40_000 },
      });
      return [said.by, answer];
    }
    case "age":
      return subject.age(it.ms);
    case "due": {
      const { gates, tickets: made } = await subject.due();
      return [gates.toSorted(), made.map((t) => t.run).toSorted()];
    }
  }
}

async function claimed({ subject, claims }: Side, run: string, step: number): Promise<Claim | undefined> {
  const ticket = (await subject.header(run))?.ticket ?? "0";
  const reply = await subject.journal.claim(run, { ticket, nonce: `claim-${step}`, worker: "w" });
  if (reply.answer !== "claimed") return undefined;
  claims.set(run, [...(claims.get(run) ?? []), reply]);
  return reply;
}

function intentOf(n: number): string {
  return `u${n % 2}`;
}

function unknown(n: number): Entry {
  return { kind: "unknown", call: "c", intent: intentOf(n), tool: "t", argsHash: "h" };
}

async function moveOf(
  subject: Subject,
  { run, to, gate, needs, after, wrong }: Extract<Op, { do: "commit" }>,
): Promise<Move> {
  const version = async (of: string): Promise<number> => (await subject.gates.version(of)) + (wrong ? 1 : 0);
  switch (to) {
    case "gate":
      return { to, gate, version: await version(gate), until: FAR };
    case "review":
      return {
        to: "gate",
        gate: reviewGate(run),
        version: await version(reviewGate(run)),
        unless: answerNonce(intentOf(needs.length)),
        until: FAR,
      };
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
  const stopped = ["agent:note", "identifier:ann", "tenant:acme"].map(switchGate);
  const gates = [...GATES, ...stopped, ...IDS.map(reviewGate)];
  const waiters = await Promise.all(gates.map((gate) => subject.waiters(gate)));
  return {
    runs,
    lines,
    waiters,
    unknowns: await subject.unknowns(),
    records: await subject.authorizations(),
    told: await subject.events(),
  };
}

test("memory and Redis do the same, whatever is asked", async (t) => {
  const side = (subject: Subject): Side => ({ subject, claims: new Map(), tickets: new Map() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(op, rarely), { minLength: 20, maxLength: 60 }),
      fc.constantFrom(...CAPS),
      async (ops, caps) => {
        const memory = side(memorySubject(t, { ...caps, remindAfterMs: REMIND_AFTER_MS }));
        const redis = side(redisSubject(t, { ...caps, remindAfterMs: REMIND_AFTER_MS }));
        for (const [step, [it, again]] of ops.entries())
          for (let times = again ? 2 : 1; times > 0; times--) {
            const what = `step ${step}: ${JSON.stringify(it)}`;
            const [one, other] = [await perform(memory, it, step), await perform(redis, it, step)];
            assert.deepEqual(one, other, `${what}: memory and Redis say the same`);
            assert.deepEqual(await held(memory), await held(redis), `${what}: memory and Redis hold the same`);
          }
      },
    ),
    { numRuns: 30, seed: 7 },
  );
});
