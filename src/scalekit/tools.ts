/** The port `Toolbox` on Scalekit's tools: which there are for a user, whether arguments fit, and the single-shot call. */
import type { ToolUse } from "../core/tool-use.ts";
import { isObject, type Json, toJson } from "../core/json.ts";
import { entryOf, type ToolManifest } from "../core/manifest.ts";
import type { Outcome } from "../core/outcome.ts";
import { isUnsaid, type Ruling, ruleOn } from "../core/ruling.ts";
import type { FrozenTool } from "../core/run.ts";
import type { JsonSchema } from "../core/schema.ts";
import type { Outage } from "../ports/accounts.ts";
import type { Clock } from "../ports/clock.ts";
import type { Listed, Toolbox, ToolQuery, ToolSend } from "../ports/toolbox.ts";
import type { Scalekit } from "./client.ts";
import { outageOf, outcomeOf } from "./errors.ts";
import { shippedReview } from "./manifest.ts";
import { listOffers, type Offer } from "./offers.ts";
import { allPages, PAGE_SIZE } from "./pages.ts";

export interface ToolboxOptions {
  /** Problems of arguments against a schema, each with its path. `hash` stands for the schema. */
  readonly check: (hash: string, schema: JsonSchema, args: Json) => readonly string[];
  readonly clock: Pick<Clock, "monotonic">;
  /** What the app has reviewed. */
  readonly manifest?: ToolManifest | undefined;
}

/** Runs of one user often start together (a schedule, a resume after a wait); what they see is at most so old. */
const KEPT_MS = 30_000;
const MOST_KEPT = 100;
/** Scalekit's limit. */
const MOST_RUN_ID = 255;

export function createToolbox(scalekit: Scalekit, { check, clock, manifest }: ToolboxOptions): Toolbox {
  const kept = new Map<string, { readonly found: Promise<Found | Outage>; readonly until: number }>();

  /** Only answers without a flaw are kept: what is missing may be there in a moment. */
  const find = (query: ToolQuery): Promise<Found | Outage> => {
    const names = query.tools.map((tool) => tool.name);
    const key = JSON.stringify([query.identifier, query.connections, names]);
    const known = kept.get(key);
    if (known !== undefined && clock.monotonic() < known.until) return known.found;
    const found = findTools(scalekit, query.identifier, query.connections, names);
    const entry = { found, until: clock.monotonic() + KEPT_MS };
    kept.delete(key);
    kept.set(key, entry);
    for (const oldest of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(oldest);
    void found.then((result) => {
      if ((!result.ok || result.missing.length > 0) && kept.get(key) === entry) kept.delete(key);
    });
    return found;
  };

  return {
    async list(query): Promise<Listed> {
      const found = await find(query);
      if (!found.ok) return found;
      const { offers, missing, known } = found;
      const ruled = query.tools.flatMap((use) => {
        const offer = offers.get(use.name);
        return offer === undefined ? [] : [{ offer, ruling: rule(offer, use, manifest) }];
      });
      const tools = ruled.flatMap(({ offer, ruling }) => (ruling.is === "enabled" ? [freeze(offer, ruling)] : []));
      const changed = ruled.flatMap(({ offer, ruling }) => (ruling.is === "changed" ? [offer.name] : []));
      return { ok: true, tools, missing, known, changed };
    },
    check: (tool, args) => check(tool.hash, tool.parameters, args),
    send: (call, options) => send(scalekit, call, options),
    async names() {
      try {
        const all = await allPages(async (pageToken) => {
          const page = await scalekit.ask((sdk) =>
            sdk.tools.listTools({
              filter: { summary: true },
              pageSize: PAGE_SIZE,
              ...(pageToken !== "" && { pageToken }),
            }),
          );
          const told = page.tools.map((tool) => tool.definition?.["name"]).filter((name) => typeof name === "string");
          return { items: [...page.toolNames, ...told], nextPageToken: page.nextPageToken };
        });
        return { ok: true, names: [...new Set(all)] };
      } catch (error) {
        return outageOf(error, "list the tools");
      }
    },
  };
}

function rule({ name, hash }: Offer, { effect }: ToolUse, manifest: ToolManifest | undefined): Ruling {
  return ruleOn({ hash, entry: entryOf(manifest, name), declared: effect, shipped: shippedReview(name) });
}

type Enabled = Extract<Ruling, { is: "enabled" }>;

function freeze({ name, description, parameters, connection, hash }: Offer, { effect, from }: Enabled): FrozenTool {
  return { name, description, parameters, connection, hash, effect, ...(isUnsaid(from) && { unsaid: true }) };
}

interface Found {
  readonly ok: true;
  readonly offers: ReadonlyMap<string, Offer>;
  readonly missing: readonly string[];
  readonly known: readonly string[];
}

async function findTools(
  scalekit: Scalekit,
  identifier: string,
  connections: readonly string[],
  names: readonly string[],
): Promise<Found | Outage> {
  // An empty filter would stand for everything.
  if (names.length === 0 || connections.length === 0) return { ok: true, offers: new Map(), missing: names, known: [] };
  try {
    const found = sort(await listOffers(scalekit, identifier, connections, names), names);
    if (found.missing.length === 0) return found;
    const all = await listOffers(scalekit, identifier, connections);
    const again = sort(all, names);
    const silent = connections.filter((connection) => !all.some((offer) => offer.connection === connection));
    if (again.missing.length === 0 || silent.length === 0) return again;
    // An account that was connected a moment ago may not list its tools yet (facts/scalekit.md P24): no reason to fail a run.
    const message = `Scalekit lists no tools at all for ${silent.join(", ")} yet, although the account is connected.`;
    return { ok: false, why: "unavailable", message };
  } catch (error) {
    return outageOf(error, "list the user's tools");
  }
}

/** A tool that two of the connections offer is nobody's: which account would it act on? The names told say of which it could be. */
function sort(offers: readonly Offer[], names: readonly string[]): Found {
  const count = (name: string): number => offers.filter((offer) => offer.name === name).length;
  const clear = new Map(offers.filter(({ name }) => count(name) === 1).map((offer) => [offer.name, offer]));
  const known = offers.map(({ name, connection }) => (clear.has(name) ? name : `${name} of ${connection}`));
  return {
    ok: true,
    offers: clear,
    missing: names.filter((name) => !clear.has(name)),
    known: known.toSorted(),
  };
}

/** The run's identifier and the tool's connection address the account; the arguments travel inside and can name no other. */
async function send(
  scalekit: Scalekit,
  { run, call, tool, args, connection, identifier }: ToolSend,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Outcome> {
  const params = toJson(args);
  if (!isObject(params))
    return { kind: "error", type: "InvalidArguments", message: "Send one JSON object.", retryable: false };
  try {
    const answer = await scalekit.once(
      ({ tools }, limits) =>
        tools.executeTool(
          {
            toolName: tool,
            identifier,
            connector: connection,
            params: params as Parameters<typeof tools.executeTool>[0]["params"] & object,
            agentRunId: `${run}:${call}`.slice(0, MOST_RUN_ID),
          },
          limits,
        ),
      options,
    );
    const { executionId } = answer;
    return { kind: "ok", data: toJson(answer.data ?? {}), ...(executionId !== "" && { executionId }) };
  } catch (error) {
    return outcomeOf(error);
  }
}
