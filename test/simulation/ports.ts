/** The journal and the gates as one process sees them: through the network, with tickets as hints that get lost on the way. */
import type { Evidence } from "../../src/core/outcome.ts";
import type { Closing, Cooling } from "../../src/ports/asking.ts";
import type { Commit, Journal } from "../../src/ports/journal.ts";
import type { LookedAt, RedisGates } from "../../src/queue/journal.ts";
import type { Ticket } from "../../src/queue/codec.ts";
import type { Checker } from "./checker.ts";
import type { MemoryStore } from "./memory-api.ts";
import type { Network } from "./network.ts";
import { LEASE_MS, type Process, type World } from "./world.ts";

/** Waiters moved by one script; small, so that an opening is often found half done. */
const SLICE = 1;

type OnTickets = (tickets: readonly Ticket[]) => void;

export class StorePorts implements Journal, RedisGates {
  readonly leaseMs: number = LEASE_MS;
  readonly #world: World;
  readonly #network: Network;
  readonly #checker: Checker;
  readonly #process: Process;
  readonly #onTickets: OnTickets;

  constructor(world: World, network: Network, checker: Checker, process: Process, onTickets: OnTickets) {
    this.#world = world;
    this.#network = network;
    this.#checker = checker;
    this.#process = process;
    this.#onTickets = onTickets;
  }

  /** One script that changes the store; the tickets that it made go to the queue when its reply arrives. */
  async script<T>(what: string, about: string, op: (store: MemoryStore) => T, first?: () => void): Promise<T> {
    const world = this.#world;
    const [answer, tickets] = await this.#network.command(this.#process, what, about, () => {
      first?.();
      const answer = world.replica.write(about, op);
      world.trace(() => `  ${this.#process.name} ${what} ${about} → ${told(answer)}`);
      const made = world.store.takeTickets();
      this.#checker.afterScript();
      return [answer, made] as const;
    });
    this.#onTickets(tickets);
    return answer;
  }

  claim(run: string, options: Parameters<Journal["claim"]>[1]): ReturnType<Journal["claim"]> {
    this.#checker.asked(options.nonce, this.#process);
    return this.script("claim", run, (store) => store.claim(run, options));
  }

  renew(run: string, epoch: number): ReturnType<Journal["renew"]> {
    return this.script("renew", run, (store) => store.renew(run, epoch));
  }

  commit(commit: Commit): ReturnType<Journal["commit"]> {
    this.#world.trace(() => `${this.#process.name} commits ${entries(commit)} → ${commit.move.to}`);
    return this.script("commit", commit.run, (store) => {
      const reply = store.commit(commit);
      if (reply.answer === "lapsed") this.#world.count("lapsed");
      return reply;
    });
  }

  evidence(run: string, evidence: Omit<Evidence, "at">): ReturnType<Journal["evidence"]> {
    const arrived = (): void => this.#checker.delivered(run, evidence);
    return this.script("evidence", run, (store) => store.evidence(run, evidence), arrived);
  }

  keep(run: string, nonce: string, text: string): ReturnType<Journal["keep"]> {
    return this.script("keep", run, (store) => store.keep(run, nonce, text));
  }

  kept(run: string, nonce: string): ReturnType<Journal["kept"]> {
    return this.#network.command(this.#process, "kept", run, () => this.#world.store.kept(run, nonce));
  }

  version(gate: string): Promise<number> {
    return this.#network.command(this.#process, "version", gate, () => this.#world.store.version(gate));
  }

  async open(gate: string, changedAt?: number): Promise<void> {
    let version: number | undefined;
    for (let left = 1; left > 0;) {
      const asked = version;
      const reply = await this.script("open", gate, (store) => store.open(gate, asked, SLICE, changedAt));
      version = reply.version;
      left = reply.left;
    }
  }

  /** Cool-downs, as any worker closes and reads them. */
  cooling(): Cooling {
    const close = (key: string, closing: Closing) =>
      this.script("close", key, (store) => store.asking.close(key, closing));
    const reopen = (key: string) => this.script("reopen", key, (store) => store.asking.reopen(key));
    const closed = (keys: readonly string[]) =>
      this.#network.command(this.#process, "closed", keys.join(), () => this.#world.store.asking.closed(keys));
    return { close, closed, reopen };
  }

  async looked(seen: readonly LookedAt[]): Promise<void> {
    await this.script("looked", seen.map(({ gate }) => gate).join(), (store) => store.looked(seen));
  }
}

function entries({ entries }: Commit): string {
  return entries
    .map((it) => {
      if (it.kind === "call-claimed") return `${it.kind} ${it.tool} ${it.call} ${it.intent}`;
      if (it.kind === "parked") return `${it.kind} ${it.reason} ${it.needs?.map((n) => n.reason).join() ?? ""}`;
      return it.kind;
    })
    .join(" + ");
}

function told(answer: unknown): string {
  if (typeof answer !== "object" || answer === null) return String(answer);
  if ("decisions" in answer && "epoch" in answer) return `claimed epoch ${String(answer.epoch)}`;
  return JSON.stringify(answer);
}
