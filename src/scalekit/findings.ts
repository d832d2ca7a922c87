/** What `errand doctor --live` asks Scalekit beyond names: open questions that its documents leave. Changes nothing, makes no link. */
import type { Agent } from "../core/agent.ts";
import type { Asked } from "../core/doctor/check.ts";
import type { AccountFacts, FindingFacts, PageFacts } from "../core/doctor/findings.ts";
import type { SeenAccount } from "../core/waiting.ts";
import type { Clock } from "../ports/clock.ts";
import { seeAccounts } from "./accounts.ts";
import { createScalekit, type Scalekit, type ScalekitOptions } from "./client.ts";
import { PATIENCE_MS } from "./doctor.ts";
import { outageOf } from "./errors.ts";
import { failureOf } from "./failure.ts";
import { shippedReview } from "./manifest.ts";
import { allPages, PAGE_SIZE } from "./pages.ts";

export interface FindingOptions {
  /** Whose connections and tools are asked about. */
  readonly agents: readonly Agent[];
  readonly identifier?: string;
}

/** @throws ErrandError `config-invalid` */
export async function findOut(
  options: ScalekitOptions,
  { agents, identifier }: FindingOptions,
  clock: Clock,
): Promise<FindingFacts> {
  const scalekit = createScalekit({ timeoutMs: PATIENCE_MS, ...options }, clock);
  const ask = asking(clock);
  try {
    const tools = await ask("list the tools", async () => {
      const page = await scalekit.ask((sdk) => sdk.tools.listTools({ filter: { summary: true } }));
      return pageOf(page.tools.length + page.toolNames.length, page.nextPageToken);
    });
    const connections = await ask("list the connections", async () => {
      const page = await scalekit.ask((sdk) => sdk.actions.listConnections({}));
      return pageOf(page.connections.length, page.nextPageToken);
    });
    if (identifier === undefined) return { tools, connections };
    const names = [...new Set(agents.flatMap((agent) => agent.connections))].slice(0, 20);
    const scoped = await ask("list the user's tools", async () => {
      const page = await scalekit.ask((sdk) =>
        sdk.tools.listScopedTools(identifier, { filter: { connectionNames: names } }),
      );
      return pageOf(page.tools.length, page.nextPageToken);
    });
    const accounts = await ask("look at the user's accounts", async () => {
      const seen = await seeAccounts(scalekit, identifier, names);
      return Promise.all(seen.map((account) => about(account, identifier, { scalekit, agents, ask })));
    });
    return { tools, connections, scoped, accounts };
  } finally {
    await scalekit.close();
  }
}

function pageOf(items: number, nextPageToken: string): PageFacts {
  return { items, more: nextPageToken !== "" };
}

type Ask = <T>(doing: string, question: () => Promise<T>) => Promise<Asked<T>>;

function asking(clock: Clock): Ask {
  return async (doing, question) => {
    const started = clock.monotonic();
    try {
      const value = await question();
      return { ok: true, value, tookMs: clock.monotonic() - started };
    } catch (error) {
      return outageOf(error, doing);
    }
  };
}

interface About {
  readonly scalekit: Scalekit;
  readonly agents: readonly Agent[];
  readonly ask: Ask;
}

async function about(account: SeenAccount, identifier: string, parts: About): Promise<AccountFacts> {
  const { connection, status } = account;
  const tools = await parts.ask("list the user's tools", async () => {
    const all = await allPages(async (pageToken) => {
      const page = await parts.scalekit.ask((sdk) =>
        sdk.tools.listScopedTools(identifier, {
          filter: { connectionNames: [connection] },
          pageSize: PAGE_SIZE,
          ...(pageToken !== "" && { pageToken }),
        }),
      );
      return { items: page.tools, nextPageToken: page.nextPageToken };
    });
    return all.length;
  });
  const refusal = status === "ACTIVE" ? undefined : await refused(connection, identifier, parts);
  return { connection, status, tools, ...(refusal !== undefined && { refusal }) };
}

/** Only a reading tool, and only where no account can execute it: should the account become ACTIVE just now, nothing is changed. */
async function refused(
  connection: string,
  identifier: string,
  { scalekit, agents }: About,
): Promise<AccountFacts["refusal"]> {
  const users = agents.filter((agent) => agent.connections.length === 1 && agent.connections[0] === connection);
  const tool = users.flatMap((agent) => agent.tools).find(({ name }) => shippedReview(name)?.effect === "read")?.name;
  if (tool === undefined) return undefined;
  try {
    await scalekit.once(
      ({ tools }, limits) => tools.executeTool({ toolName: tool, identifier, connector: connection }, limits),
      { timeoutMs: scalekit.timeoutMs },
    );
    return { tool, answer: "was executed" };
  } catch (error) {
    const { code, errorCode } = failureOf(error);
    return { tool, answer: errorCode === "" ? code : `${code} (${errorCode})` };
  }
}
