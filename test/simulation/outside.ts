/** The world outside: accounts that are looked at, tools that do things, and a model that says anything. */
import type { Json } from "../../src/core/json.ts";
import { type ModelFailure, type ModelReply, NO_USAGE, type RequestedCall } from "../../src/core/messages.ts";
import type { Outcome, Refusal } from "../../src/core/outcome.ts";
import type { Accounts, Outage } from "../../src/ports/accounts.ts";
import type { Model } from "../../src/ports/model.ts";
import type { Toolbox } from "../../src/ports/toolbox.ts";
import { TOOLS } from "./agents.ts";
import type { Checker, Hold } from "./checker.ts";
import type { Network } from "./network.ts";
import type { Users } from "./users.ts";
import type { Process, World } from "./world.ts";

export interface Outside {
  accounts(process: Process): Accounts;
  model(hold: Hold): Model;
  toolbox(hold: Hold): Toolbox;
}

const OUTAGE: Outage = { ok: false, why: "unavailable", message: "simulated outage" };
const TOOL_TIMEOUT_MS = 4_000;

export function createOutside(world: World, network: Network, checker: Checker, users: Users): Outside {
  const { dice, time } = world;
  const out = (): boolean => dice.chance(world.faults.outage);

  return {
    accounts: (process) => ({
      look: (identifier, connections) =>
        network.request(process, dice.between(1, dice.chance(0.3) ? 1_500 : 80), () => {
          users.looked(identifier);
          const seen = connections.map((connection) => users.see(identifier, connection));
          world.trace(() => `  ${process.name} sees ${seen.map((s) => `${s.connection} ${s.status}`).join(", ")}`);
          return out() ? OUTAGE : { ok: true, accounts: seen };
        }),
      survey: async function* () {
        yield OUTAGE;
      },
      link: () => Promise.resolve(OUTAGE),
      verify: () => Promise.resolve(OUTAGE),
      connections: () => Promise.resolve(OUTAGE),
    }),
    model: (hold) => ({
      respond: (request, { timeoutMs }) => {
        checker.prompted(hold, request);
        const slow = dice.chance(world.faults.slow * 2);
        const ms = slow ? dice.between(100, timeoutMs) : dice.between(5, 500);
        const reply = modelReply(world, request.toolChoice === "none");
        return network.request(hold.process, ms, () => reply);
      },
    }),
    toolbox: (hold) => ({
      list: ({ connections }) =>
        network.request(hold.process, dice.between(1, 50), () => {
          const offered = TOOLS.filter((tool) => connections.includes(tool.connection));
          const tools = world.mutants.has("unknown-retried") ? offered.map(repeatable) : offered;
          return out() ? OUTAGE : { ok: true, tools, missing: [], known: tools.map((t) => t.name), changed: [] };
        }),
      check: (_tool, args) => (hasNumber(args) ? [] : ["k: expected a number"]),
      names: () => Promise.resolve(OUTAGE),
      send: (call) => {
        const sent = checker.sent(hold, call);
        const { identifier, connection } = call;
        return new Promise<Outcome>((resolve) => {
          const plan = sendPlan(world);
          let answered = false;
          const answer = (at: number, outcome: Outcome): void =>
            network.deliver(hold.process, at, () => {
              if (answered) return;
              answered = true;
              checker.answered(hold);
              resolve(outcome);
            });
          // The client's own time-out: whatever comes later is not heard.
          answer(time.now + TOOL_TIMEOUT_MS, { kind: "unknown", message: "timed out" });
          time.after(plan.arrivesMs, () => {
            const { status, refusesUntil } = users.account(identifier, connection);
            const outcome =
              status !== "ACTIVE" || refusesUntil > time.now
                ? refusal(dice.chance(0.1) ? "scope" : "account")
                : plan.outcome(() => checker.executed(sent));
            world.trace(() => `  ${call.tool} of ${call.run} ${call.call} → ${outcome.kind}`);
            if (plan.repliesMs !== undefined) answer(time.now + plan.repliesMs, outcome);
          });
        });
      },
    }),
  };
}

function repeatable(tool: (typeof TOOLS)[number]): (typeof TOOLS)[number] {
  return tool.effect === "unsafe" ? { ...tool, effect: "idempotent" } : tool;
}

function hasNumber(args: Json): boolean {
  return typeof args === "object" && args !== null && "k" in args && typeof args["k"] === "number";
}

function refusal(why: Refusal): Outcome {
  return { kind: "not-executed", why, message: why };
}

interface SendPlan {
  readonly arrivesMs: number;
  /** What the provider does; `execute` answers the execution's number. */
  readonly outcome: (execute: () => number) => Outcome;
  /** Not set: the reply is lost. */
  readonly repliesMs: number | undefined;
}

function sendPlan(world: World): SendPlan {
  const { dice, faults } = world;
  const ok = (execute: () => number): Outcome => ({ kind: "ok", data: { did: execute() } });
  const arrivesMs = dice.between(0.5, 30);
  const repliesMs = dice.between(0.5, dice.chance(faults.slow) ? TOOL_TIMEOUT_MS : 100);
  if (!dice.chance(faults.tool)) return { arrivesMs, repliesMs, outcome: ok };
  switch (dice.weighed({ error: 3, refused: 4, lost: 3, never: 2, late: 2, vague: 2 }) satisfies string) {
    case "error":
      return {
        arrivesMs,
        repliesMs,
        outcome: (execute) => {
          if (dice.chance(0.5)) execute();
          return { kind: "error", type: "Invalid", message: "no", retryable: false };
        },
      };
    case "refused": {
      const why = dice.pick<Refusal>(["rate-limit", "unavailable", "credentials", "account"]);
      return { arrivesMs, repliesMs, outcome: () => refusal(why) };
    }
    case "lost":
      return { arrivesMs, repliesMs: undefined, outcome: ok };
    case "never":
      return { arrivesMs, repliesMs: undefined, outcome: () => ({ kind: "unknown", message: "lost on the way" }) };
    case "late":
      return { arrivesMs: dice.between(30, 3 * TOOL_TIMEOUT_MS), repliesMs, outcome: ok };
    default:
      return {
        arrivesMs,
        repliesMs,
        outcome: (execute) => {
          if (dice.chance(0.5)) execute();
          return { kind: "unknown", message: "connection cut" };
        },
      };
  }
}

function modelReply(world: World, mustAnswer: boolean): ModelReply {
  const { dice, faults } = world;
  if (dice.chance(faults.model)) return failure(world);
  const odd = dice.chance(faults.nonsense);
  const endless = faults.nonsense > 0.3;
  if (odd && dice.chance(0.15)) return answer("", []);
  if (odd && dice.chance(0.05)) return { ...answer("no", []), finish: "refused" };
  const wantsTools = endless || dice.chance(mustAnswer ? 0.05 : 0.65);
  if (!wantsTools) return { ...answer("done", []), finish: odd && dice.chance(0.2) ? "length" : "stop" };
  const calls = Array.from({ length: 1 + dice.below(odd ? 5 : 3) }, () => requested(world, odd));
  return {
    ...answer(mustAnswer && dice.chance(0.5) ? "so far" : "", calls),
    finish: odd && dice.chance(0.2) ? "length" : "stop",
  };
}

function requested({ dice }: World, odd: boolean): RequestedCall {
  const name = odd && dice.chance(0.2) ? "fly" : dice.pick(["find", "find", "label", "pay", "send", "send", "draft"]);
  const given = JSON.stringify({ k: dice.below(3) });
  const args = odd && dice.chance(0.3) ? dice.pick(["{", "[]", "{}", "", '{"k":"x"}']) : given;
  return { providerId: "call_0", name, arguments: args };
}

function answer(text: string, calls: readonly RequestedCall[]): Extract<ModelReply, { kind: "answer" }> {
  return {
    kind: "answer",
    verbatim: { text },
    text,
    calls,
    finish: "stop",
    usage: NO_USAGE,
    servedModel: "m",
    requestId: "r",
    tookMs: 1,
  };
}

function failure({ dice }: World): ModelFailure {
  const kind = dice.weighed({ retry: 6, "rate-limit": 4, billing: 1, credentials: 1, context: 0.3, invalid: 0.3 });
  const retryAfterMs = kind === "rate-limit" && dice.chance(0.5) ? { retryAfterMs: dice.between(100, 60_000) } : {};
  return { kind: "failure", class: kind, message: kind, ...retryAfterMs };
}
