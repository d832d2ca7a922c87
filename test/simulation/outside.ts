/** The world outside: accounts that are looked at, tools (tools.ts), and a model that says anything. */
import {
  type ModelFailure,
  type ModelReply,
  type ModelRequest,
  NO_USAGE,
  type RequestedCall,
} from "../../src/core/messages.ts";
import type { Json } from "../../src/core/json.ts";
import type { Accounts, Outage } from "../../src/ports/accounts.ts";
import type { Model } from "../../src/ports/model.ts";
import type { Toolbox } from "../../src/ports/toolbox.ts";
import { createBackground } from "./background.ts";
import type { Hold } from "./checker.ts";
import { metered, refusedFor } from "./shared.ts";
import { type Surroundings, toolboxOf } from "./tools.ts";
import type { Process, World } from "./world.ts";

export interface Outside {
  accounts(process: Process): Accounts;
  model(hold: Hold): Model;
  toolbox(hold: Hold): Toolbox;
}

const OUTAGE: Outage = { ok: false, why: "unavailable", message: "simulated outage" };

export function createOutside(world: World, parts: Surroundings): Outside {
  const { dice } = world;
  const { network, checker, users } = parts;
  const inBackground = createBackground(world, network);
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
      respond: (request, { timeoutMs, background, signal }) => {
        checker.prompted(hold, request);
        const says = (): ModelReply => metered(world, modelReply(world, request), request);
        const works = (reply: ModelReply): ModelReply => {
          if (reply.kind === "answer") checker.billed(hold, reply);
          return reply;
        };
        if (background !== undefined && inBackground.wanted(hold))
          return inBackground.respond(hold, { background, signal, timeoutMs, reply: () => works(says()) });
        const slow = dice.chance(world.faults.slow * 2) || ((world.shared?.strict ?? 0) > 0 && dice.chance(0.3));
        const ms = slow ? dice.between(100, timeoutMs) : dice.between(5, 500);
        const reply = says();
        const answered = checker.called(hold, request);
        return network.request(hold.process, ms, () => works(reply)).finally(answered);
      },
    }),
    toolbox: (hold) => toolboxOf(world, parts, hold),
  };
}

function modelReply(world: World, request: ModelRequest): ModelReply {
  const { dice, faults } = world;
  const mustAnswer = request.toolChoice === "none";
  const retryAfterMs = refusedFor(world);
  if (retryAfterMs !== undefined)
    return { kind: "failure", class: "rate-limit", message: "too many requests", retryAfterMs };
  if (dice.chance(faults.model)) return failure(world);
  const odd = dice.chance(faults.nonsense);
  const endless = faults.nonsense > 0.3;
  if (odd && dice.chance(0.15)) return answer("", []);
  if (odd && dice.chance(0.05)) return { ...answer("no", []), finish: "refused" };
  const wantsTools = endless || dice.chance(mustAnswer ? 0.05 : 0.65);
  if (!wantsTools) return { ...answer("done", []), finish: odd && dice.chance(0.2) ? "length" : "stop" };
  const calls = Array.from({ length: 1 + dice.below(odd ? 5 : 3) }, () => requested(world, odd, request));
  return {
    ...answer(mustAnswer && dice.chance(0.5) ? "so far" : "", calls),
    finish: odd && dice.chance(0.2) ? "length" : "stop",
  };
}

const NAMES = ["find", "find", "label", "pay", "pay", "draft", "post", "send", "send", "wire", "burn"] as const;

function requested({ dice, faults }: World, odd: boolean, { messages }: ModelRequest): RequestedCall {
  if (dice.chance(faults.stubborn)) {
    const before = messages.flatMap((message) => (message.role === "assistant" ? callsIn(message.verbatim) : []));
    const [first, ...others] = before;
    if (first !== undefined) return dice.pick([first, ...others]);
  }
  const name = odd && dice.chance(0.2) ? "fly" : dice.pick(NAMES);
  const given = JSON.stringify({ k: dice.below(3) });
  const args = odd && dice.chance(0.3) ? dice.pick(["{", "[]", "{}", "", '{"k":"x"}']) : given;
  return { providerId: "call_0", name, arguments: args };
}

function callsIn(verbatim: Json): RequestedCall[] {
  return (verbatim as unknown as { calls: RequestedCall[] }).calls;
}

function answer(text: string, calls: readonly RequestedCall[]): Extract<ModelReply, { kind: "answer" }> {
  return {
    kind: "answer",
    verbatim: { text, calls: calls.map((call) => ({ ...call })) },
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
