/**
 * What a worker asks before it takes its first run: are the names right that the agents use? A wrong name would fail every run of its
 * agent, so it stops the worker. Who does not answer stops nobody: Scalekit's runs park as `outage` until it is back, and so do those
 * of another source of tools.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Agent } from "./core/agent.ts";
import { checkNames } from "./core/agents.ts";
import { ErrandError } from "./core/errors.ts";
import { namesakes, type ToldNames } from "./core/told-names.ts";
import { SCALEKIT, sourceOf } from "./core/tool-use.ts";
import type { Accounts } from "./ports/accounts.ts";
import type { Log } from "./ports/log.ts";
import type { Toolbox, ToolSource } from "./ports/toolbox.ts";
import { type ReviewParts, tellReview } from "./tool-review.ts";

/** For sources beside Scalekit, all together: a server that hangs must not keep the worker from the runs of others. */
export const SOURCES_MS = 10_000;

/** @throws ErrandError `scalekit-auth`, `connection-unknown`, `tool-unknown`, `agent-invalid` */
export async function checkBoot(
  agents: readonly Agent[],
  scalekit: Pick<ReviewParts, "catalogue" | "manifest"> & { readonly accounts: Accounts; readonly toolbox: Toolbox },
  sources: readonly ToolSource[],
  log: Log,
): Promise<void> {
  const others = sources.filter(({ name }) => name !== SCALEKIT);
  const [connections, tools, told] = await Promise.all([
    scalekit.accounts.connections(),
    scalekit.toolbox.names(),
    askNames(agents, others, SOURCES_MS),
  ]);
  const outage = [connections, tools].find((answer) => !answer.ok);
  if (outage?.ok === false && outage.why === "credentials")
    throw new ErrandError(
      "scalekit-auth",
      `Scalekit refused our client id or secret: ${outage.message} Check SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET.`,
    );
  const known = connections.ok && tools.ok ? { connections: connections.names, tools: tools.names } : undefined;
  checkNames(agents, known, told);
  if (outage?.ok === false) log.warn("boot.names-unchecked", { why: outage.message });
  tellUnasked(told, log);
  const alike = namesakes(agents, told);
  if (alike.length > 0) log.warn("boot.tools-namesakes", { tools: alike.join("; ") });
  if (outage !== undefined) return;
  const unasked = new Set(told.filter((one) => !one.told.ok).map(({ source }) => source));
  await tellReview(agents, { ...scalekit, sources: others.filter(({ name }) => !unasked.has(name)) }, log);
}

/** What the sources say of the names that the agents take from them. Never rejects. @param ms after which an answer is not waited for */
export async function askNames(
  agents: readonly Agent[],
  sources: readonly ToolSource[],
  ms: number,
): Promise<readonly ToldNames[]> {
  const over = new AbortController();
  const late = wait(ms, { ok: false, why: "late", message: `no answer within ${ms} ms` } as const, over).catch(
    () => undefined,
  );
  try {
    return await Promise.all(
      agents.flatMap((agent) =>
        sources
          .filter((source) => agent.tools.some((use) => sourceOf(use) === source.name))
          .map(async (source): Promise<ToldNames> => {
            const told = await Promise.race([ask(agent, source), late]);
            return { agent: agent.name, source: source.name, told: told ?? { ok: false, why: "late", message: "" } };
          }),
      ),
    );
  } finally {
    over.abort();
  }
}

async function ask({ tools }: Agent, source: ToolSource): Promise<ToldNames["told"]> {
  const uses = tools.filter((use) => sourceOf(use) === source.name);
  if (source.offers !== undefined) {
    const found = await source.offers({ identifier: undefined, tools: uses });
    if (!found.ok) return found;
    const [offered, missing] = [true, false].map((is) =>
      found.uses.filter(({ seen }) => (seen !== undefined) === is).map(({ tool }) => tool),
    );
    return { ok: true, offered: offered ?? [], missing: missing ?? [], known: found.known };
  }
  const found = await source.names();
  if (!found.ok) return found;
  const names = uses.map(({ name }) => name);
  return {
    ok: true,
    offered: names.filter((name) => found.names.includes(name)),
    missing: names.filter((name) => !found.names.includes(name)),
    known: found.names,
  };
}

/** Once for each source: which agents' tools nobody has looked at, and why. */
function tellUnasked(told: readonly ToldNames[], log: Log): void {
  const unasked = new Map<string, { readonly why: string; readonly message: string; readonly agents: string[] }>();
  for (const { agent, source, told: its } of told) {
    if (its.ok) continue;
    const known = unasked.get(source) ?? { ...its, agents: [] };
    known.agents.push(agent);
    unasked.set(source, known);
  }
  for (const [source, { why, message, agents }] of unasked) {
    const fields = { source, why: message, agents: agents.join(", ") };
    // That each user has tools of their own is how it is configured, and no news.
    if (why === "no-user") log.info("boot.names-unchecked", fields);
    else if (why === "credentials") log.error("boot.names-unchecked", fields);
    else log.warn("boot.names-unchecked", fields);
  }
}
