/** The simulated tools: what a provider does with a call, when it arrives, and what its caller hears of it. */
import type { Json } from "../../src/core/json.ts";
import type { Outcome, Refusal } from "../../src/core/outcome.ts";
import type { Outage } from "../../src/ports/accounts.ts";
import type { Toolbox } from "../../src/ports/toolbox.ts";
import { LATEST_ARRIVAL_MS, TOOL_TIMEOUT_MS, TOOLS } from "./agents.ts";
import type { Checker, Hold } from "./checker.ts";
import { mutatedArgs, mutatedTools } from "./mutated-tools.ts";
import type { Network } from "./network.ts";
import { type Provider, textIn } from "./provider.ts";
import { refusedFor } from "./shared.ts";
import type { Users } from "./users.ts";
import type { World } from "./world.ts";

export interface Surroundings {
  readonly network: Network;
  readonly checker: Checker;
  readonly users: Users;
  readonly provider: Provider;
}

const OUTAGE: Outage = { ok: false, why: "unavailable", message: "simulated outage" };

export function toolboxOf(world: World, { network, checker, users, provider }: Surroundings, hold: Hold): Toolbox {
  const { dice, time } = world;
  return {
    list: ({ connections }) =>
      network.request(hold.process, dice.between(1, 50), () => {
        const offered = TOOLS.filter((tool) => connections.includes(tool.connection));
        const tools = mutatedTools(world, offered);
        const outage = dice.chance(world.faults.outage);
        return outage ? OUTAGE : { ok: true, tools, missing: [], known: tools.map((t) => t.name), changed: [] };
      }),
    check: (_tool, args) => (hasNumber(args) ? [] : ["k: expected a number"]),
    names: () => Promise.resolve(OUTAGE),
    send: (call) => {
      const sent = checker.sent(hold, call);
      const { run, identifier, connection, tool } = call;
      const args = mutatedArgs(world, call.args, sent.intent ?? "");
      const execute = (): Json => {
        const about = textIn(args, "about");
        const did = provider.execute({ run, call: call.call, tool, args });
        checker.executed(sent, did);
        return about === undefined ? { did } : { found: provider.isThere(about) };
      };
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
        time.after(TOOL_TIMEOUT_MS, () => {
          if (!answered) answer(time.now, { kind: "unknown", message: "timed out" });
        });
        if (plan.cutMs !== undefined)
          time.after(plan.cutMs, () => answer(time.now, { kind: "unknown", message: "connection cut" }));
        time.after(plan.arrivesMs, () => {
          const { status, refusesUntil } = users.account(identifier, connection);
          const retryAfterMs = refusedFor(world);
          const outcome =
            retryAfterMs !== undefined
              ? tooMany(world, retryAfterMs)
              : status !== "ACTIVE" || refusesUntil > time.now
                ? refusal(dice.chance(0.1) ? "scope" : "account")
                : plan.outcome(execute);
          world.trace(() => `  ${tool} of ${run} ${call.call} → ${outcome.kind}`);
          if (plan.repliesMs !== undefined) answer(time.now + plan.repliesMs, outcome);
        });
      });
    },
  };
}

function hasNumber(args: Json): boolean {
  return typeof args === "object" && args !== null && "k" in args && typeof args["k"] === "number";
}

function refusal(why: Refusal): Outcome {
  return { kind: "not-executed", why, message: why };
}

/** The provider's limit, or that of Scalekit for all. */
function tooMany({ dice }: World, retryAfterMs: number): Outcome {
  const by = dice.chance(0.2) ? ({ by: "scalekit" } as const) : {};
  return { kind: "not-executed", why: "rate-limit", message: "too many requests", retryAfterMs, ...by };
}

interface SendPlan {
  readonly arrivesMs: number;
  /** What the provider does; `execute` answers what the execution says. */
  readonly outcome: (execute: () => Json) => Outcome;
  /** Not set: the reply is lost. */
  readonly repliesMs: number | undefined;
  /** The caller's connection breaks then, while the provider is still at work. */
  readonly cutMs?: number;
}

function sendPlan(world: World): SendPlan {
  const { dice, faults } = world;
  const ok = (execute: () => Json): Outcome => ({ kind: "ok", data: execute() });
  const arrivesMs = dice.between(0.5, 30);
  const repliesMs = dice.between(0.5, dice.chance(faults.slow) ? TOOL_TIMEOUT_MS : 100);
  if (!dice.chance(faults.tool)) return { arrivesMs, repliesMs, outcome: ok };
  switch (
    dice.weighed({ error: 3, refused: 4, lost: 3, never: 2, late: 2, cut: 2, vague: 2, blank: 1 }) satisfies string
  ) {
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
      return { arrivesMs: dice.between(30, LATEST_ARRIVAL_MS), repliesMs, outcome: ok };
    case "cut":
      return {
        arrivesMs: dice.between(5, LATEST_ARRIVAL_MS),
        repliesMs: undefined,
        cutMs: dice.between(0.5, 5),
        outcome: ok,
      };
    case "blank":
      // Executed, and the answer says nothing: a look that found neither yes nor no.
      return {
        arrivesMs,
        repliesMs,
        outcome: (execute) => {
          execute();
          return { kind: "ok", data: {} };
        },
      };
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
