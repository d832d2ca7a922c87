/** The scripts of src/queue/scripts over plain memory, one function each, with the same comparisons in the same order (test/conformance). */
import { reviewGate } from "../../src/core/gate.ts";
import { JOURNAL_VERSION } from "../../src/core/journal.ts";
import { isFinal } from "../../src/core/run.ts";
import type { ClaimReply, CommitReply } from "../../src/ports/journal.ts";
import { lineOf } from "../../src/core/turns.ts";
import { byScore } from "./maps.ts";
import { createMemoryAsking } from "./memory-asking.ts";
import { forgets, parkInstead } from "./memory-commits.ts";
import type { MemoryStore } from "./memory-api.ts";
import { createMemoryApprovals } from "./memory-approvals.ts";
import { superfluous } from "./memory-coalesce.ts";
import { createMemorySwitches } from "./memory-switches.ts";
import { createMemoryBlobs } from "./memory-blobs.ts";
import { createMemoryState, type MemoryOptions, type StoredRun } from "./memory-state.ts";

export function createMemoryStore(options: MemoryOptions): MemoryStore {
  const { leaseMs, sweepMs, now } = options;
  const state = createMemoryState(options);
  const { runs, gates, turns, tenants, looks, unknowns, needs, next, is, raise, find, gateOf, leaveGates } = state;
  const { goOn, goTo, look, write, toLine, enter, pathOf, fill } = state;
  const asking = createMemoryAsking({ leaseMs, now, looks, find, toLine, is });
  const switches = createMemorySwitches({ ...state, off: state.off });
  const approvals = createMemoryApprovals({ now, leaveGates, toLine, is });
  const idems = new Map<string, { run: string; inputHash: string }>();

  return {
    runs,
    gates,
    turns,
    off: state.off,
    looks,
    unknowns,
    approvals: approvals.open,
    auths: needs.auths,
    events: needs.events,
    asking,
    takeTickets: () => state.takeTickets(),
    create({ run: id, nonce, queue, priority, idem, inputHash, created, coalesce = "all" }) {
      const same = find(id);
      if (same?.createdBy === nonce && !is("no-nonce")) {
        if (same.place === "live" && same.lease === 0) state.ticket(same);
        return { answer: "ok", run: id };
      }
      const known = idem === "" ? undefined : idems.get(idem);
      if (known !== undefined && find(known.run) !== undefined)
        return { answer: known.inputHash === inputHash ? "same" : "conflict", run: known.run };
      const { agent, identifier, tenant = "" } = created;
      const recorded = tenants.get(identifier);
      if (recorded !== undefined && recorded !== tenant) return { answer: "tenant", tenant: recorded };
      if (tenant !== "") tenants.set(identifier, tenant);
      const { waits, idle } = superfluous(runs.values(), agent, identifier, now());
      if (coalesce === "skip" && waits !== undefined) return { answer: "skipped", run: waits.id };
      const given = coalesce === "latest" && waits !== undefined ? idle : [];
      const starts = [created.covers?.from, ...given.map((it) => it.from)].filter((it) => it !== undefined);
      const from = starts.length === 0 ? undefined : Math.min(...starts);
      const run: StoredRun = {
        id,
        agent,
        identifier,
        queue,
        line: lineOf({ queue, identifier, agent, ends: false }),
        path: undefined,
        tenant: tenants.get(identifier),
        rank: (priority + 1_000) * 2 ** 40 + next(),
        createdBy: nonce,
        idem,
        status: "queued",
        place: "line",
        ticket: 0,
        epoch: 0,
        lease: 0,
        claim: "",
        cancel: false,
        reason: "",
        version: JOURNAL_VERSION,
        gates: [],
        needs: [],
        after: undefined,
        expires: 0,
        journal: find(id)?.journal ?? [],
        nonces: find(id)?.nonces ?? [],
        evidence: new Map(),
        turned: false,
        from,
        supersededBy: "",
      };
      runs.set(id, run);
      write(run, 0, nonce, [created]);
      if (given.length > 0)
        write(run, 0, nonce, [
          { kind: "covers", ...(from !== undefined && { from }), supersedes: given.map((it) => it.id) },
        ]);
      if (idem !== "") idems.set(idem, { run: id, inputHash });
      for (const other of given) {
        Object.assign(other, { cancel: true, supersededBy: id });
        if (other.place === "gate") leaveGates(other);
        needs.handOver(other, run);
        if (other.place === "gate" || other.place === "moment") toLine(other);
      }
      enter(run);
      return { answer: "ok", run: id };
    },
    claim(id, { ticket: asked, nonce, worker }) {
      const run = find(id);
      if (run === undefined) return { answer: "gone" };
      const claimed = (): ClaimReply => ({
        answer: "claimed",
        run: id,
        epoch: run.epoch,
        now: now(),
        cancelled: run.cancel && !is("cancel-not-told"),
        decisions: run.journal.slice(),
        evidence: Array.from(run.evidence.values()),
      });
      if (run.claim === nonce && !is("no-nonce")) return claimed();
      if (isFinal(run.status) && !is("claim-ignores-final")) return { answer: "stale" };
      if (run.lease > now() && !is("claim-ignores-lease")) return { answer: "busy", until: run.lease };
      if (run.version > JOURNAL_VERSION) {
        if (asked !== undefined && run.place === "live") {
          state.unseat(run);
          goTo(run, { to: "moment", until: now() + 60_000 }, "newer-version");
          run.lease = 0;
          fill();
        }
        return { answer: "newer" };
      }
      if (asked !== undefined) {
        const current = run.place === "live" && asked === String(run.ticket);
        if (!current && !is("claim-ignores-ticket")) return { answer: "stale" };
      } else {
        const path = run.place === "live" && run.path !== undefined ? run.path : pathOf(run);
        if (run.place === "gate") leaveGates(run);
        if (run.place !== "live") turns.seat(id, path);
        if (run.place === "line") turns.leave(id, path);
        run.path = path;
        Object.assign(run, { place: "live", ticket: raise(run.ticket) });
      }
      const epoch = raise(run.epoch);
      Object.assign(run, {
        status: "running",
        epoch,
        lease: now() + leaseMs,
        claim: nonce,
        reason: "",
        gates: [],
        after: undefined,
      });
      looks.set(`run:${id}`, run.lease);
      write(run, epoch, nonce, [{ kind: "leased", worker }]);
      return claimed();
    },
    renew(id, epoch) {
      const run = find(id);
      if (run?.epoch !== epoch || run.status !== "running") return { answer: "fenced" };
      run.lease = now() + leaseMs;
      looks.set(`run:${id}`, run.lease);
      return { answer: "ok", cancelled: run.cancel && !is("cancel-not-told") };
    },
    commit({ run: id, epoch, length, nonce, entries: given, uses, move: wanted, ask, settle, count }) {
      const run = find(id);
      if (run === undefined) return { answer: "fenced" };
      const ok = (at: number): CommitReply => ({
        answer: "ok",
        at,
        cancelled: run.cancel && !is("cancel-not-told"),
      });
      const there = run.journal[length];
      if (there !== undefined && run.nonces[length] === nonce && !is("no-nonce"))
        return parkInstead(run, length + given.length, nonce, ask) ?? ok(there.at);
      const fenced = run.epoch !== epoch || run.status !== "running";
      if (fenced && !is("no-fence")) return { answer: "fenced" };
      if (run.journal.length !== length && !is("no-fence")) return { answer: "conflict" };
      const seen = wanted.to === "gate" ? [wanted] : wanted.to === "accounts" ? wanted.needs : [];
      const checked = is("park-ignores-version") ? [] : is("park-ignores-others") ? seen.slice(0, 1) : seen;
      if (checked.some(({ gate, version }) => gateOf(gate).version !== version)) return { answer: "gate-moved" };
      const awaited = wanted.to === "gate" ? wanted.unless : undefined;
      if (awaited !== undefined && run.evidence.has(awaited) && !is("park-ignores-answer"))
        return { answer: "gate-moved" };
      const refused = approvals.refusal(run, given) ?? switches.stopped(run, given, uses);
      if (refused !== undefined) return refused;
      if ((settle ?? ask) !== undefined || forgets(wanted)) asking.settle(run, settle, wanted);
      const allowed = asking.allowed(run, nonce, given, wanted, { ask, count });
      if ("answer" in allowed) return allowed;
      const { entries, move, park } = allowed;
      write(run, epoch, nonce, entries);
      for (const it of entries)
        if (it.kind === "unknown" && !is("unknown-not-listed")) unknowns.add(`${id} ${it.intent}`);
      approvals.committed(run, entries);
      run.version = Math.max(run.version, JOURNAL_VERSION);
      run.turned ||= entries.some((it) => it.kind === "turn-committed");
      needs.committed(run, entries, move);
      // While it stays, its next look stays as well.
      run.lease = move.to === "stay" ? now() + leaseMs : 0;
      if (move.to === "stay") return ok(now());
      if (!is("park-keeps-slot") || move.to === "end") state.unseat(run);
      const reason = entries.find((it) => it.kind === "parked")?.reason ?? "";
      asking.waits(run, move);
      const waits = move.to === "gate" || move.to === "accounts" || move.to === "moment";
      goTo(run, run.cancel && waits && !is("cancelled-parks") ? { to: "line" } : move, reason);
      if (move.to !== "end" || !is("end-forgets-fill")) fill();
      return park === undefined ? ok(now()) : { answer: "parked", at: now(), park };
    },
    evidence(id, evidence) {
      const run = find(id);
      if (run === undefined) return undefined;
      if (
        is("evidence-fenced") &&
        run.journal.find((it) => it.kind === "call-claimed" && it.intent === evidence.nonce)?.epoch !== run.epoch
      )
        return { at: now(), ...evidence };
      if (!run.evidence.has(evidence.nonce) || is("evidence-last-wins")) {
        run.evidence.set(evidence.nonce, { at: now(), ...evidence });
        approvals.evidence(run, evidence.nonce);
        if (evidence.outcome.kind !== "unknown" && !is("unknown-stays-listed"))
          unknowns.delete(`${id} ${evidence.nonce}`);
      }
      return run.evidence.get(evidence.nonce);
    },
    answer(id, intent, answer) {
      const run = find(id);
      if (run !== undefined && run.evidence.has(answer.nonce)) return "was";
      if (!is("unknown-stays-listed")) unknowns.delete(`${id} ${intent}`);
      if (run === undefined) return "gone";
      run.evidence.set(answer.nonce, { at: now(), ...answer });
      if (run.place === "gate" && run.gates.includes(reviewGate(id)) && !is("answer-wakes-nobody")) {
        leaveGates(run);
        toLine(run);
      }
      return "ok";
    },
    decide: (id, asked, call, said) => approvals.decide(find(id), id, asked, call, said),
    ...createMemoryBlobs(find),
    cancel(id) {
      const run = find(id);
      if (run === undefined) return "gone";
      if (isFinal(run.status)) return "final";
      run.cancel = true;
      if (is("cancelled-parks")) return run.lease > now() ? "held" : "free";
      if (run.place === "gate") leaveGates(run);
      const isKept = run.place === "line" && state.off.size > 0;
      if (isKept) turns.leave(id, pathOf(run));
      if (run.place === "gate" || run.place === "moment" || isKept) toLine(run);
      return run.lease > now() ? "held" : "free";
    },
    open(name, asked, most, changedAt) {
      const gate = gateOf(name);
      const version = asked ?? raise(gate.version);
      if (version > gate.version && !is("open-keeps-version")) gate.version = version;
      const moved = Array.from(gate.waiters)
        .filter(([, saw]) => saw < version)
        .toSorted(byScore)
        .slice(0, most);
      const record = needs.auths.get(name);
      if (record !== undefined) record.looked = now();
      state.moveMany(() => {
        for (const [id] of moved) {
          const run = find(id);
          if (changedAt !== undefined && run?.after !== undefined && changedAt <= run.after) {
            gate.waiters.set(id, version);
            const refused = run.needs.find((need) => need.gate === name);
            if (refused !== undefined && record !== undefined) record.reason = refused.reason;
            continue;
          }
          gate.waiters.delete(id);
          if (run?.place === "gate") goOn(run, name);
        }
      });
      return { version, left: Array.from(gate.waiters.values()).filter((saw) => saw < version).length };
    },
    pause: (name) => switches.pause(name),
    resume: (name) => switches.resume(name),
    weigh: (name, weight) => switches.weigh(name, weight),
    looked: (seen) => needs.looked(seen),
    remind: (nonce, asked) => needs.askToRemind(nonce, asked),
    due(most) {
      const found: string[] = [];
      const reminders: string[] = [];
      const members = Array.from(looks)
        .filter(([, at]) => at <= now())
        .toSorted(byScore)
        .slice(0, most);
      for (const [member] of members) {
        const name = member.slice(member.indexOf(":") + 1);
        if (member.startsWith("run:")) look(name);
        else if (member.startsWith("remind:")) reminders.push(...(needs.due(name) ? [name] : []));
        else if (gateOf(name).waiters.size === 0) looks.delete(member);
        else {
          looks.set(member, now() + sweepMs);
          found.push(name);
        }
      }
      needs.remind(reminders, false);
      const first = looks.size === 0 ? undefined : Math.min(...looks.values());
      return { nextMs: first === undefined ? undefined : Math.max(0, first - now()), gates: found };
    },
    version: (gate) => gates.get(gate)?.version ?? 0,
  };
}
