/** One seed: builds the world, lets things go wrong for a while, calms it, and sees every run to its end. */
import { accountGate } from "../../src/core/gate.ts";
import { isFinal } from "../../src/core/run.ts";
import { AGENTS, EXPIRES_AFTER_MS } from "./agents.ts";
import { createChecker } from "./checker.ts";
import { createCrew } from "./crew.ts";
import { calmed } from "./faults.ts";
import { Network } from "./network.ts";
import { createApprover } from "./approver.ts";
import { createOperator } from "./operator.ts";
import { createOutside } from "./outside.ts";
import { createProvider } from "./provider.ts";
import type { Other } from "./timeline.ts";
import { createSwitcher } from "./switcher.ts";
import { createUsers } from "./users.ts";
import { Broken, createWorld, type World, type WorldOptions } from "./world.ts";

export interface Result {
  readonly seed: number;
  readonly steps: number;
  /** Of the story: its last moment, and all that was rolled. */
  readonly mark: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly broken?: { readonly invariant: string; readonly message: string };
}

const MOST_STEPS = 20_000;
/** Long enough for every wait that a calm world may still hold. */
const CALM_MS = 4 * EXPIRES_AFTER_MS + 4 * 900_000;
const CONNECTIONS: readonly [string, string] = ["mail", "chat"];

export async function simulate(seed: number, options: WorldOptions = {}): Promise<Result> {
  const world = createWorld(seed, options);
  const { time } = world;
  const done = (broken?: Broken): Result => ({
    seed,
    steps: time.steps,
    mark: Math.imul(world.dice.mark() ^ Math.round(time.now * 1_000), 0x9e3779b1) >>> 0,
    counts: world.counts,
    ...(broken !== undefined && { broken: { invariant: broken.invariant, message: broken.message } }),
  });
  try {
    const built = build(world);
    const until = world.dice.between(10_000, 90_000);
    await runUntil(world, built.waker, until);
    built.calm();
    await runUntil(world, built.waker, until + CALM_MS);
    if (time.steps >= MOST_STEPS) world.broken("every run comes to its end", `${MOST_STEPS} steps were not enough`);
    built.atEnd();
    return done(world.failure);
  } catch (error) {
    if (error instanceof Broken) return done(world.failure ?? error);
    return done(new Broken("the code under test threw", error instanceof Error ? (error.stack ?? "") : String(error)));
  }
}

async function runUntil(world: World, waker: Other, until: number): Promise<void> {
  const watched: Other = {
    at() {
      if (world.failure !== undefined) throw world.failure;
      return waker.at();
    },
    happen: () => waker.happen(),
  };
  await world.time.run(until, MOST_STEPS, watched);
}

interface Built {
  readonly waker: Other;
  calm(): void;
  atEnd(): void;
}

function build(world: World): Built {
  const { dice, time, faults } = world;
  const network = new Network(world);
  const users = createUsers(world);
  const provider = createProvider(world);
  const checker = createChecker(world, users, provider);
  const outside = createOutside(world, { network, checker, users, provider });
  const crew = createCrew(world, network, checker, outside);
  const operator = createOperator(world, crew, provider);
  const approver = createApprover(world, crew);
  checker.recorded = () => {
    operator.told();
    approver.told();
  };
  const workers = 2 + dice.below(2);
  for (let i = 0; i < workers; i++) crew.startWorker(i);
  const identifiers = dice.chance(0.4) ? ["ann", "bob"] : ["ann"];
  const switcher = createSwitcher(world, crew, identifiers);
  const tenant = dice.chance(0.5) ? { tenant: "acme" } : {};
  // Many at once, where they can get into each other's way.
  const runs = (world.shared?.strict ?? 0) > 0 ? 2 + dice.below(3) : 1 + dice.below(3);
  const at = (): number => dice.between(0, 30_000);

  for (let i = 0; i < runs; i++) {
    const run = `r${i}`;
    const identifier = identifiers[i % identifiers.length] ?? "ann";
    const agent = dice.pick(AGENTS);
    const nonce = world.nonce();
    time.at(dice.between(0, 5_000), () => {
      const process = world.spawn("producer");
      const created = { kind: "created", agent, identifier, input: null, ...tenant } as const;
      crew
        .ports(process)
        .script("create", run, (store) =>
          store.create({ run, nonce, queue: "q", priority: 0, idem: "", inputHash: "", created }),
        )
        .then(() => world.acknowledged.add(run), world.caught);
    });
    if (dice.chance(faults.cancel)) time.at(at(), () => crew.cancel(run));
  }

  const connect = (identifier: string, connection: string, reliable: boolean): void => {
    users.connect(identifier, connection);
    if (!reliable && dice.chance(world.faults.callbackLost)) return;
    time.after(dice.between(1, 300), () => callback(identifier, connection));
  };
  /** Where nothing sweeps, the app asks until the gate is open; otherwise it asks once, and may die on the way. */
  const callback = (identifier: string, connection: string): void => {
    const process = world.spawn("app", !faults.sweep);
    const look = crew.gatekeeper(process).look(accountGate(identifier, connection), true);
    const again = (opened: boolean): void => {
      const active = users.account(identifier, connection).status === "ACTIVE";
      if (!faults.sweep && !opened && active) time.after(500, () => callback(identifier, connection));
    };
    look.then(again, (error: unknown) => {
      world.caught(error);
      again(false);
    });
  };
  const absent = faults.absent ? identifiers[0] : undefined;
  const churn = (identifier: string, connection: string): void => {
    if (world.calm || faults.churnMs === 0) return;
    time.after(dice.between(0.2, 2) * faults.churnMs, () => {
      if (world.calm) return;
      if (users.account(identifier, connection).status === "ACTIVE") users.disconnect(identifier, connection);
      else if (identifier !== absent) connect(identifier, connection, false);
      churn(identifier, connection);
    });
  };
  users.looked = (identifier) => {
    if (identifier === absent || !dice.chance(world.faults.eager)) return;
    const connection = dice.pick(CONNECTIONS);
    // Now and then one connects again what is connected.
    if (users.account(identifier, connection).status === "ACTIVE" && !dice.chance(0.3)) return;
    time.after(dice.between(0, 100), () => connect(identifier, connection, false));
  };
  for (const identifier of identifiers)
    for (const connection of CONNECTIONS) {
      churn(identifier, connection);
      if (identifier === absent) users.account(identifier, connection).status = "NONE";
    }

  for (let i = 0; i < faults.drains; i++) time.at(at(), () => crew.drain());
  for (let i = 0; i < faults.storeDown; i++)
    time.at(at(), () => {
      if (world.calm) return;
      network.downUntil = time.now + dice.between(10, 20_000);
      world.count("store-down");
      world.trace(() => `STORE DOWN for ${Math.round(network.downUntil - time.now)} ms`);
    });
  for (let i = 0; i < faults.failovers; i++)
    time.at(at(), () => {
      if (world.calm) return;
      const lost = world.replica.lose(1 + dice.below(6));
      world.store = world.replica.store;
      world.count("failover");
      world.trace(() => `FAILOVER loses ${lost.length} writes: ${lost.join(" ")}`);
      checker.afterFailover(lost);
    });

  return {
    waker: crew.waker,
    atEnd() {
      checker.atEnd();
      for (const run of world.acknowledged)
        if (!world.store.runs.has(run) && !world.tainted.has(run)) world.broken("what is accepted is kept", run);
    },
    calm() {
      world.calm = true;
      world.faults = calmed(faults);
      world.trace(() => "CALM: no more faults; all accounts are connected");
      for (const identifier of identifiers)
        for (const connection of CONNECTIONS) {
          // Those that are connected stay as they are: a wake that was lost before is not made good by another one.
          const connected = users.account(identifier, connection).status === "ACTIVE";
          if (identifier !== absent && !connected) connect(identifier, connection, true);
        }
      const again = (): void => {
        if (faults.sweep) checker.stillAsked();
        operator.look();
        approver.look();
        switcher.look();
        // A user who is asked to connect once more does so; nobody else's gate is opened by it.
        for (const run of world.store.runs.values()) {
          if (run.place !== "gate" || run.identifier === absent) continue;
          const parked = run.journal.findLast((it) => it.kind === "parked");
          const need = parked?.kind === "parked" ? parked.needs?.[0] : undefined;
          if (need?.reason === "refused" || need?.reason === "missing-scope")
            connect(run.identifier, need.connection, true);
        }
        if (Array.from(world.store.runs.values()).some((run) => !isFinal(run.status))) time.after(60_000, again);
      };
      time.after(60_000, again);
    },
  };
}
