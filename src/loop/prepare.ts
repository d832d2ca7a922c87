/** Before the first token is bought, and after each wait for an account: look at the accounts; the first time freeze what the run keeps. */
import { type Agent, MOST_TOOLS } from "../core/agent.ts";
import { withAliases } from "../core/aliases.ts";
import { accountGate } from "../core/gate.ts";
import { nearest } from "../core/nearest.ts";
import { type RunContext, visibleTools } from "../core/run.ts";
import { freezeUses } from "../core/tool-use.ts";
import { afterMassLoss } from "../core/losses.ts";
import { afterLook, afterOutage, afterToolsChanged, waitingSince } from "../core/waiting.ts";
import type { Outage } from "../ports/accounts.ts";
import { coolKey, coolScalekit } from "./cool.ts";
import type { Left, LoopPorts } from "./loop.ts";
import { heldLosses } from "./lost.ts";
import type { HeldRun } from "./held.ts";
import { end, endByAgentError, parkOrEnd } from "./leave.ts";

export async function prepare(held: HeldRun, agent: Agent, ports: LoopPorts): Promise<Left> {
  // What was bought is kept before a look that may take long.
  await held.flush();
  const { identifier } = held.state.created;
  const connections = held.state.context?.connections ?? agent.connections;
  const gates = connections.map((connection) => accountGate(identifier, connection));
  // Versions first, then the truth: an opening in between makes the park below be refused.
  const versions = await Promise.all(gates.map((gate) => ports.gates.version(gate)));
  const cool = connections.length === 0 ? undefined : await ports.cooling?.closed([coolKey.scalekit]);
  if (cool !== undefined) return cooling(held, ports, cool.until);
  const looked = await ports.accounts.look(identifier, connections);
  if (!looked.ok) return outage(held, ports, looked);

  const expiresAfterMs = held.state.context?.expiresAfterMs ?? agent.expiresAfterMs;
  const after = afterLook(held.state, looked.accounts, expiresAfterMs, held.now(), ports.chance.random());
  const lost = await heldLosses(held, looked.accounts, after, ports);
  switch (after.do) {
    case "go-on": {
      const accounts = Object.fromEntries(looked.accounts.map((a) => [a.connection, a.accountId]));
      if (held.state.context !== undefined) {
        held.note({ kind: "prepared", accounts });
        return undefined;
      }
      return freeze(held, agent, ports, accounts);
    }
    case "park": {
      const missing = after.needs.filter((need) => !lost.includes(need));
      if (missing.length === 0) return parkOrEnd(held, afterMassLoss(held.state, lost, ports.chance.random()));
      held.note({ kind: "parked", reason: "account", needs: missing });
      const needs = missing.map(({ connection, reason }) => {
        const at = connections.indexOf(connection);
        return { gate: gates[at] ?? "", version: versions[at] ?? 0, reason };
      });
      const kept = lost.map(({ connection }) => accountGate(identifier, connection));
      const until = Math.round((waitingSince(held.state) ?? held.now()) + expiresAfterMs);
      const since = after.after === undefined ? {} : { after: after.after };
      const parked = await held.flush({ to: "accounts", needs, kept, ...since, until });
      return parked ? "parked" : undefined;
    }
    case "probe":
      if (lost.length > 0) return parkOrEnd(held, afterMassLoss(held.state, lost, ports.chance.random()));
      return parkOrEnd(held, {
        do: "park",
        park: { kind: "parked", reason: "probe", about: after.about },
        delayMs: after.delayMs,
      });
    case "expire":
      return end(held, {
        kind: "ended",
        status: "expired",
        message: `These accounts were not connected in time: ${after.needs.map((n) => `${n.connection} (${n.reason})`).join(", ")}.`,
      });
  }
}

async function freeze(held: HeldRun, agent: Agent, ports: LoopPorts, accounts: Record<string, string>): Promise<Left> {
  const { identifier, input } = held.state.created;
  const listed = await ports.toolbox.list({ identifier, connections: agent.connections, tools: agent.tools });
  if (!listed.ok) return outage(held, ports, listed);
  if (listed.missing.length > 0) {
    const told = listed.missing
      .map((name) => `${name} (close: ${nearest(name, listed.known).join(", ") || "none"})`)
      .join("; ");
    const message = `The user's accounts do not offer these tools of agent "${agent.name}": ${told}. Check the names and the connection's scopes.`;
    return end(held, { kind: "ended", status: "failed", code: "tools-missing", message });
  }
  if (listed.clashing !== undefined) {
    const message = `Two sources offer a tool of the same name to agent "${agent.name}": ${listed.clashing.join("; ")}. Name the tools that the agent needs one by one, or give one of them another name.`;
    return end(held, { kind: "ended", status: "failed", code: "tools-missing", message });
  }
  const tools = withAliases(freezeUses(listed.tools, agent.tools, agent.onUnknown), ports.hash);
  const offered = visibleTools({ tools }).length;
  if (offered > MOST_TOOLS) {
    const message = `Agent "${agent.name}" would offer ${offered} tools, and model providers take at most ${MOST_TOOLS}. Name the ones that it needs, instead of all of a server's.`;
    return end(held, { kind: "ended", status: "failed", code: "tools-missing", message });
  }
  if (listed.changed.length > 0) {
    ports.log.error("tools.changed", { run: held.id, agent: agent.name, tools: listed.changed.join(", ") });
    return parkOrEnd(held, afterToolsChanged(held.state, listed.changed, ports.chance.random()));
  }
  let texts: Pick<RunContext, "instructions" | "prompt">;
  try {
    const given = { input, identifier, ...(held.state.covers !== undefined && { covers: held.state.covers }) };
    texts = { instructions: agent.instructions(given), prompt: agent.prompt(given) };
  } catch (error) {
    return endByAgentError(held, agent, "instructions or prompt", error);
  }
  const context: RunContext = {
    profile: agent.profile,
    model: agent.model,
    limits: agent.limits,
    atLimit: agent.atLimit,
    tools,
    connections: agent.connections,
    expiresAfterMs: agent.expiresAfterMs,
    approvalMs: agent.approvalMs,
    ...texts,
    ...(agent.fallbacks.length > 0 && { fallbacks: agent.fallbacks, fallbackOn: agent.fallbackOn }),
    ...(agent.output !== undefined && {
      outputSchema: agent.output["~standard"].jsonSchema.input({ target: "draft-2020-12" }),
    }),
  };
  held.note({ kind: "prepared", context, accounts });
  return undefined;
}

async function outage(held: HeldRun, ports: LoopPorts, outage: Outage): Promise<Left> {
  const until = await coolScalekit(outage, ports);
  if (until !== undefined) return cooling(held, ports, until, outage.message);
  return parkOrEnd(held, afterOutage(held.state, outage.message, ports.chance.random()));
}

/** Nobody asks Scalekit for anything until then; and then they come one after the other. */
function cooling(
  held: HeldRun,
  ports: LoopPorts,
  until: number,
  message: string = "a cool-down of scalekit",
): Promise<Left> {
  const waitMs = Math.max(0, until - held.now());
  const park = { kind: "parked", reason: "rate-limit", about: "prepare", message } as const;
  const delayMs = waitMs + ports.chance.random() * Math.min(30_000, 1_000 + waitMs / 4);
  return parkOrEnd(held, { do: "park", park, delayMs });
}
