/** Where crash tests are made: one emulated Scalekit and one scripted model for all, a store of its own for each batch of runs. */
import { randomUUID } from "node:crypto";
import { connect } from "../../src/queue/connect.ts";
import { openHints } from "../../src/queue/hints.ts";
import { createProducer } from "../../src/queue/producer.ts";
import { createReader, type RunReader } from "../../src/queue/reader.ts";
import { openStore, type Store } from "../../src/queue/store.ts";
import { openTickets } from "../../src/queue/tickets.ts";
import {
  type Execution,
  type RecordedRequest,
  removeKeys,
  sampleMails,
  type ScalekitEmulator,
  startScalekitEmulator,
  startScriptedModel,
} from "../../src/testing/index.ts";
import { chance, quiet } from "../support/store.ts";
import { identifierIn } from "./boundaries.ts";
import { type Scope, startWorkerProcess, type WorkerProcess } from "./process.ts";
import { SHOP, shop } from "./shop.ts";
import { storyScript } from "./story-script.ts";
import { CALLS, type Point, storeOptions, storyAgent } from "./story.ts";

/**
 * Long enough that nobody loses it on a crowded machine, nor on one that stands still for some seconds, as virtual machines do: at 3 s
 * each standstill of 3 s was a crash that nobody had planned.
 */
export const LEASE_MS = 8_000;

export interface Lab extends Scope {
  readonly scalekit: ScalekitEmulator;
  /** Processes that are loaded and wait. */
  startWorkers<const N extends number>(count: N): Promise<Workers<N>>;
  /** A store with one run for each of the names, each for an identifier of its own whose account is ACTIVE. */
  batch(names: readonly string[]): Promise<Batch>;
}

/** A tuple of that length. */
export type Workers<N extends number, T extends WorkerProcess[] = []> = T["length"] extends N
  ? T
  : Workers<N, [...T, WorkerProcess]>;

export interface Batch {
  readonly prefix: string;
  readonly store: Store;
  readonly reader: RunReader;
  readonly runs: readonly LabRun[];
  /** Does one after the other, among all batches of the lab: what would starve the rest. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Enqueues more. */
  add(names: readonly string[]): Promise<readonly LabRun[]>;
}

export interface LabRun {
  readonly id: string;
  readonly name: string;
  readonly identifier: string;
  /** What its tools really did, oldest first. */
  executions(): Execution[];
  /** What the model was asked for it, oldest first. */
  requests(): RecordedRequest[];
  /** Holds the request at the server from now on. Resolves when it is there; `release` lets the server go on. */
  holdOnWire(point: Point): { readonly there: Promise<unknown>; release(): void };
}

export async function openLab(redis: string, scope: Scope): Promise<Lab> {
  const holds = new Map<string, Hold>();
  const scalekit = await startScalekitEmulator({ connections: ["gmail", { name: SHOP, connector: shop }] });
  const model = await startScriptedModel({
    script: async (request, context) => {
      const hold = holds.get(`${identifierOf(request)} ${context.turn}`);
      if (hold !== undefined && context.attempt === 0) await hold.wait();
      return storyScript(request, context);
    },
  });
  scope.onLeave(async () => {
    for (const hold of holds.values()) hold.release();
    await Promise.all([scalekit.close(), model.close()]);
  });
  const mails = (await sampleMails()).slice(0, 2);
  const surroundings = {
    redis,
    scalekit: { envUrl: scalekit.url, clientId: scalekit.clientId, clientSecret: scalekit.clientSecret },
    model: { baseURL: model.url, apiKey: model.apiKey },
    leaseMs: LEASE_MS,
  };

  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const addRun = (id: string, name: string, identifier: string): LabRun => ({
    id,
    name,
    identifier,
    executions: () => scalekit.ledger.filter((execution) => execution.identifier === identifier),
    requests: () => model.requests.filter((request) => identifierOf(request) === identifier),
    holdOnWire: ({ op, nth, when }) => {
      const hold = createHold();
      if (op === "model") {
        holds.set(`${identifier} ${nth - 1}`, hold);
        return { there: hold.there, release: hold.release };
      }
      holds.set(`${identifier} ${op} ${nth}`, hold);
      const tool = CALLS[nth - 1]?.tool ?? "";
      const call = { method: "ExecuteTool", tool, identifier };
      scalekit.faults.add({ ...call, when: when === "asked" ? "before" : "after", until: hold.held });
      const fits = (event: { tool: string | undefined; identifier: string | undefined }): boolean =>
        event.tool === tool && event.identifier === identifier;
      const there = scalekit.waitFor(when === "asked" ? "call" : "execute", fits, 60_000);
      return { there, release: hold.release };
    },
  });

  return {
    scalekit,
    onLeave: (work) => scope.onLeave(work),
    startWorkers: async <const N extends number>(count: N) =>
      (await Promise.all(
        Array.from({ length: count }, () => startWorkerProcess(surroundings, scope)),
      )) as unknown as Workers<N>,
    batch: async (names) => {
      const prefix = `crash-${randomUUID().slice(0, 8)}`;
      const connection = connect(redis, true);
      const store = openStore(connection.redis, prefix, storeOptions(LEASE_MS));
      const tickets = openTickets(connection.redis, store.prefix, quiet);
      const hints = openHints(store, () => undefined);
      scope.onLeave(async () => {
        await hints.close();
        await tickets.close();
        await connection.close();
        await removeKeys(redis, prefix);
      });
      const producer = createProducer(store, tickets, chance);
      const runs: LabRun[] = [];
      const add = (more: readonly string[]): Promise<LabRun[]> =>
        Promise.all(
          more.map(async (name) => {
            const identifier = `${prefix}-${randomUUID().slice(0, 8)}`;
            scalekit.mailbox(identifier).load(mails);
            for (const connection of storyAgent.connections) scalekit.connect(identifier, connection);
            return addRun(await producer.create(storyAgent, { identifier, input: {} }), name, identifier);
          }),
        ).then((added) => (runs.push(...added), added));
      await add(names);
      return { prefix, store, reader: createReader(store, hints, connection.reach), runs, add, inTurn };
    },
  };
}

function identifierOf(request: Pick<RecordedRequest, "messages">): string {
  return identifierIn(request.messages.find((message) => message.role === "user"));
}

interface Hold {
  readonly there: Promise<void>;
  readonly held: Promise<void>;
  readonly wait: () => Promise<void>;
  readonly release: () => void;
}

function createHold(): Hold {
  let arrive = (): void => undefined;
  let release = (): void => undefined;
  const there = new Promise<void>((resolve) => (arrive = resolve));
  const held = new Promise<void>((resolve) => (release = resolve));
  const wait = (): Promise<void> => {
    arrive();
    return held;
  };
  return { there, held, wait, release };
}
