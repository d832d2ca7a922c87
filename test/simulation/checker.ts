/**
 * What must be true, whatever goes wrong (facts/reliability.md §2.3). One checker sees the store after every script, every prompt
 * and every send; the journal of each run is read by a machine of its own (journal-checker.ts), not by the code under test.
 */
import type { ModelRequest } from "../../src/core/messages.ts";
import type { Evidence } from "../../src/core/outcome.ts";
import { isFinal } from "../../src/core/run.ts";
import type { Ending } from "../../src/loop/loop.ts";
import type { ToolSend } from "../../src/ports/toolbox.ts";
import { effectOf } from "./agents.ts";
import { createReader } from "./journal-checker.ts";
import type { JournalReader, Known, Truth } from "./reading.ts";
import { createPlacesChecker } from "./places-checker.ts";
import { createNeedsChecker } from "./needs-checker.ts";
import { createSharedChecker, type SharedChecker } from "./shared-checker.ts";
import { StoreGone } from "./network.ts";
import type { Provider } from "./provider.ts";
import { transcript } from "./transcript.ts";
import type { Users } from "./users.ts";
import type { Process, World } from "./world.ts";

/** A worker's hold on a run, from its claim on. */
export interface Hold {
  readonly process: Process;
  readonly run: string;
  readonly epoch: number;
  readonly since: number;
  over: boolean;
  /** A commit has let the run go. */
  released: boolean;
  inFlight: number;
  /** Of its last prompt: call → what the model was told. */
  prompt: ReadonlyMap<string, string>;
}

/** One send, and how often the provider executed it. */
export interface Sent {
  readonly run: string;
  readonly call: string;
  readonly tool: string;
  readonly intent: string | undefined;
  executions: number;
}

export interface Checker {
  asked(nonce: string, process: Process): void;
  holds(process: Process, run: string, epoch: number): Hold;
  left(hold: Hold, ending: Ending): void;
  threw(hold: Hold, error: unknown): void;
  afterScript(): void;
  afterFailover(lost: readonly string[]): void;
  readonly called: SharedChecker["called"];
  readonly billed: SharedChecker["billed"];
  prompted(hold: Hold, request: ModelRequest): void;
  sent(hold: Hold, call: ToolSend): Sent;
  answered(hold: Hold): void;
  /** @param number of the execution, which the tool's result carries */
  executed(sent: Sent, number: number): void;
  /** Evidence has reached the store. */
  delivered(run: string, evidence: Omit<Evidence, "at">): void;
  stillAsked(): void;
  atEnd(): void;
  /** To be set by whoever plays the operator: an unknown outcome has been written down. */
  recorded: () => void;
}

export function createChecker(world: World, users: Users, provider: Provider): Checker {
  const readers = new Map<string, JournalReader>();
  const claims = new Map<string, { process: Process; since: number }>();
  const holds = new Map<string, Hold>();
  const last = new Map<string, Hold>();
  const sends = new Map<string, Sent>();
  /** Runs that were taken from a line or gate to be ended: they have a slot, whether the cap allows it or not. */
  const extra = new Set<string>();
  const takenApart = new Set<string>();
  /** Execution's number → whose it was. */
  const executions = new Map<number, Sent>();
  /** "<run> <call>" of sends that a suspended worker made after its lease: nobody can know when it wakes. */
  const overslept = new Set<string>();
  const broken = (invariant: string, detail: string): never => world.broken(invariant, detail);

  const healthy = (hold: Hold): boolean => hold.process.faultedAt < hold.since && !world.tainted.has(hold.run);

  const truth: Truth = {
    effectsOf: (run, call, tool) => (overslept.has(`${run} ${call}`) ? undefined : provider.effectsOf(run, call, tool)),
    executionsOf: (run, call, intent) =>
      overslept.has(`${run} ${call}`) ? undefined : (sends.get(intent)?.executions ?? 0),
  };

  const known: Known = {
    truth,
    recorded: () => checker.recorded(),
    begun: (run, d) => shared.begun(run, d),
    claimed(run, epoch, nonce) {
      const { process, since } = claims.get(nonce) ?? broken("claims", `${run.id}: claimed by nobody, nonce ${nonce}`);
      const before = last.get(run.id);
      if (before !== undefined && !before.released && healthy(before))
        broken("a healthy worker keeps its run", `${run.id} was taken from ${before.process.name} by ${process.name}`);
      const hold: Hold = {
        process,
        run: run.id,
        epoch,
        since,
        over: false,
        released: false,
        inFlight: 0,
        prompt: new Map(),
      };
      holds.set(`${run.id} ${epoch}`, hold);
      last.set(run.id, hold);
      if (process.name === "canceller") {
        extra.add(run.id);
        takenApart.add(run.id);
      }
    },
    released: (run, epoch) => {
      const hold = holds.get(`${run.id} ${epoch}`);
      if (hold !== undefined) hold.released = true;
    },
    connectedAt: (run, connection) => users.account(run.identifier, connection).updatedAt,
    connectedFor: (run) => users.connectedFor(run),
    promptOf: (run, epoch) => holds.get(`${run.id} ${epoch}`)?.prompt,
  };

  const where = createPlacesChecker(world, extra);
  const needs = createNeedsChecker(world);
  const shared = createSharedChecker(world);
  const checker: Checker = {
    recorded: () => undefined,
    asked: (nonce, process) => void claims.set(nonce, { process, since: world.time.now }),
    holds: (_process, run, epoch) =>
      holds.get(`${run} ${epoch}`) ??
      broken("claims", `${run} was claimed with an epoch ${epoch} that was never written`),
    left(hold, ending) {
      world.count(ending);
      if (ending !== "lost" || !healthy(hold) || hold.released) return;
      broken("a healthy worker keeps its run", `${hold.process.name} lost ${hold.run}`);
    },
    threw(hold, error) {
      if (!(error instanceof StoreGone)) world.caught(error);
      hold.process.faultedAt = world.time.now;
    },
    afterScript() {
      for (const run of world.store.runs.values()) {
        const reader = readers.get(run.id) ?? createReader(world, known);
        readers.set(run.id, reader);
        reader.read(run);
        where.places(run);
      }
      where.caps();
      needs.afterScript();
      shared.afterScript();
    },
    afterFailover(lost) {
      for (const process of world.processes) process.faultedAt = Math.max(process.faultedAt, world.time.now);
      const touched = lost.some((about) => !world.store.runs.has(about));
      for (const run of [...world.store.runs.keys(), ...lost])
        if (touched || lost.includes(run)) world.tainted.add(run);
      for (const run of takenApart) if (world.store.runs.get(run)?.place === "live") extra.add(run);
      for (const [id, reader] of readers) reader.restart(world.store.runs.get(id));
      needs.afterFailover();
      shared.afterFailover();
    },
    called: (hold, request) => shared.called(hold, request),
    billed: (hold, answer) => shared.billed(hold, answer),
    prompted(hold, request) {
      const texts = transcript(world, hold, request);
      // One that lost the run asks in vain: its answer can no longer be committed.
      if (world.store.runs.get(hold.run)?.epoch === hold.epoch) readers.get(hold.run)?.prompted(hold.run, texts);
      for (const text of texts.values()) truthful(text, hold);
      hold.prompt = texts;
    },
    sent(hold, call) {
      const run = world.store.runs.get(hold.run);
      const tainted = world.tainted.has(hold.run);
      const intent = run?.journal.findLast(
        (it) => it.kind === "call-claimed" && it.call === call.call && it.epoch === hold.epoch,
      );
      const nonce = intent?.kind === "call-claimed" ? intent.intent : undefined;
      if (!tainted) {
        if (nonce === undefined)
          return broken("intents come before effects", `${call.tool} of ${hold.run} ${call.call}`);
        if (sends.has(nonce)) broken("an intent is sent once", `${call.tool} of ${hold.run} ${call.call}, ${nonce}`);
        readers.get(hold.run)?.sent(call);
        const mine = run?.epoch === hold.epoch && run.lease > world.redisNow();
        if (!mine) {
          overslept.add(`${hold.run} ${call.call}`);
          world.count("overslept");
        }
        if (!mine && !hold.process.suspended)
          broken("nothing is sent after the lease", `${call.tool} of ${hold.run} ${call.call} by ${hold.process.name}`);
      }
      const alone = effectOf(call.tool) !== "read";
      if (alone && hold.inFlight > 0) broken("an effect runs alone", `${call.tool} of ${hold.run} ${call.call}`);
      hold.inFlight++;
      const sent: Sent = { run: hold.run, call: call.call, tool: call.tool, intent: nonce, executions: 0 };
      if (nonce !== undefined) sends.set(nonce, sent);
      world.count("send");
      return sent;
    },
    answered: (hold) => void hold.inFlight--,
    executed(sent, number) {
      sent.executions++;
      if (!executions.has(number)) executions.set(number, sent);
      const { run, call, tool, intent } = sent;
      if (world.tainted.has(run) || intent === undefined) return;
      if (sent.executions > 1) broken("a request is executed once", `${run} ${call}`);
      if (overslept.has(`${run} ${call}`)) return;
      const effect = effectOf(tool);
      const effects = provider.effectsOf(run, call, tool);
      if (effect !== "read" && effect !== "idempotent" && effects > 1)
        broken("a call has at most one effect", `${run} ${call}, ${tool}: ${effects}`);
      readers.get(run)?.executed(call, intent);
    },
    delivered: (run, evidence) => readers.get(run)?.delivered(evidence),
    stillAsked() {
      for (const run of world.store.runs.values()) readers.get(run.id)?.stillAsked(run);
    },
    atEnd() {
      needs.atEnd();
      shared.atEnd();
      for (const run of world.store.runs.values()) {
        if (!isFinal(run.status))
          broken(
            "every run comes to its end",
            `${run.id} is ${run.status} at ${run.place} ${run.gates.join()}, last: ${run.journal.at(-1)?.kind ?? ""}`,
          );
        world.count(`end ${run.status}`);
        if (world.tainted.has(run.id)) continue;
        for (const { nonce, outcome } of run.evidence.values()) {
          const times = sends.get(nonce)?.executions ?? 0;
          if (outcome.kind === "unknown") world.count("unknown");
          if (outcome.kind === "ok" && times !== 1)
            broken("ok means executed once", `${run.id} ${nonce}: ${times} times`);
          if (outcome.kind === "not-executed" && times !== 0)
            broken("not executed means not executed", `${run.id} ${nonce}: ${times} times`);
        }
      }
    },
  };

  return checker;

  /** A result that the model is told belongs to an execution of that very run. */
  function truthful(text: string, hold: Hold): void {
    const did = /^\{"did":(\d+)\}$/.exec(text)?.[1];
    if (did !== undefined && executions.get(Number(did))?.run !== hold.run)
      broken("results are not invented", `${hold.run} was told ${text}`);
  }
}
