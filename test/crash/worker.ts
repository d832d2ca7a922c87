/**
 * A worker process for the crash tests: the product's own parts, put together as in src/errand.ts, but for its ports, which are wrapped so
 * that a run can be held at any boundary until the process is killed there. Started as `node --import tsx worker.ts <Surroundings>`.
 */
import { randomUUID } from "node:crypto";
import { chatModel } from "../../src/models/chat.ts";
import { modelRouter } from "../../src/models/router.ts";
import type { Log, LogFields } from "../../src/ports/log.ts";
import { connect } from "../../src/queue/connect.ts";
import { type ErrandWorker, startCrew } from "../../src/queue/crew.ts";
import { createGatekeeper } from "../../src/queue/gatekeeper.ts";
import { redisGates, redisJournal } from "../../src/queue/journal.ts";
import { watchSkew } from "../../src/queue/skew.ts";
import { createRefill } from "../../src/queue/refill.ts";
import { openStore } from "../../src/queue/store.ts";
import { openTickets } from "../../src/queue/tickets.ts";
import { createWaker } from "../../src/queue/waker.ts";
import { createAccounts } from "../../src/scalekit/accounts.ts";
import { createScalekit } from "../../src/scalekit/client.ts";
import { createToolbox } from "../../src/scalekit/tools.ts";
import { createChecker } from "../../src/tools/check.ts";
import { withBoundaries } from "./boundaries.ts";
import { createHolds } from "./holds.ts";
import { type Order, type Report, type Surroundings, workerName } from "./orders.ts";
import { storeOptions, storyAgent } from "./story.ts";

const WAKE_EVERY_MS = 100;

const given = JSON.parse(process.argv[2] ?? "") as Surroundings;
const tell = (report: Report): void => void process.send?.(report);
const logged = (level: string) => (event: string, fields: LogFields) =>
  tell({ is: "log", line: `${level} ${event} ${JSON.stringify(fields)}` });
const log: Log = { info: () => undefined, warn: logged("warn"), error: logged("error") };

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const chance = { random: () => Math.random(), nonce: () => randomUUID() };
const scalekit = createScalekit(given.scalekit);
const accounts = createAccounts(scalekit);
const toolbox = createToolbox(scalekit, { check: createChecker(), clock });
const model = modelRouter({ scripted: chatModel(given.model) });
const holds = createHolds((run) => tell({ is: "held", run }));
const crews: ErrandWorker[] = [];
let patienceMs = 20_000;

async function work({ prefix, concurrency, holds: held }: Extract<Order, { do: "work" }>): Promise<void> {
  const connection = connect(given.redis, true);
  const store = openStore(connection.redis, prefix, storeOptions(given.leaseMs));
  const tickets = openTickets(connection.redis, store.prefix, log);
  const gates = redisGates(store, tickets);
  const journal = redisJournal(store, tickets);
  holds.add(held);
  const ports = { model, toolbox, accounts, gates, clock, chance, journal, log, worker: workerName(process.pid) };
  const crew = startCrew({
    connection,
    store,
    log,
    ports: withBoundaries(ports, holds.visit),
    outbox: undefined,
    heartbeat: undefined,
    skew: watchSkew(store, clock, log),
    refill: createRefill(store, tickets, log),
    agents: [storyAgent.name],
    waker: createWaker(store, tickets, createGatekeeper(gates, accounts, log), log, WAKE_EVERY_MS),
    queues: [storyAgent.queue],
    concurrency,
    agentOf: (name) => (name === storyAgent.name ? storyAgent : undefined),
    check: async () => undefined,
    release: async () => {
      await tickets.close();
      await connection.close();
    },
  });
  crews.push(crew);
  await crew.ready();
  tell({ is: "working", prefix });
}

/** Ends by itself: whatever it would leave open keeps it alive, and the test waits in vain. */
async function stop(): Promise<void> {
  const closing = Promise.all(crews.map((crew) => crew.close({ timeoutMs: patienceMs })));
  setImmediate(() => tell({ is: "stopping" }));
  await closing;
  await scalekit.close();
  tell({ is: "stopped", counts: holds.counts() });
  process.disconnect();
}

process.on("message", (order: Order) => {
  switch (order.do) {
    case "work":
      return void work(order);
    case "release":
      return holds.release(order.how, order.runs);
    case "sleep":
      process.kill(process.pid, "SIGSTOP");
      return holds.release("go");
    case "patience":
      return void (patienceMs = order.ms);
    case "exit":
      return process.exit(order.code);
  }
});
process.once("SIGTERM", () => void stop());
// Without its test a worker has nothing to do.
process.once("disconnect", () => setTimeout(() => process.exit(3), 10_000).unref());
tell({ is: "ready" });
