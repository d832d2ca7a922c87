/** Which tools a user's accounts offer, and of which connection each of them is. */
import { createHash } from "node:crypto";
import type { ScopedTool } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/tools/tools_pb.js";
import { canonical, isObject, toJson } from "../core/json.ts";
import type { DefinitionParts } from "../core/manifest.ts";
import type { SeenTool } from "../core/proposal.ts";
import type { JsonSchema } from "../core/schema.ts";
import { seeAccounts } from "./accounts.ts";
import type { Scalekit } from "./client.ts";
import { allPages, chunks, PAGE_SIZE } from "./pages.ts";

export interface Offer extends SeenTool {
  readonly connection: string;
}

/** @param names only these tools; without them all. @throws what `ask` throws */
export async function listOffers(
  scalekit: Scalekit,
  identifier: string,
  connections: readonly string[],
  names?: readonly string[],
): Promise<Offer[]> {
  const [connectionOf, scoped] = await Promise.all([
    owners(scalekit, identifier, connections),
    Promise.all(chunks(connections).map((some) => listScoped(scalekit, identifier, some, names))),
  ]);
  const offers = scoped.flat().flatMap((one) => {
    const connection = one.identifier === identifier ? connectionOf(one.connectedAccountId) : undefined;
    if (connection === undefined) return [];
    return definitionsOf(one.tool?.definition).map((definition) => ({ ...definition, connection }));
  });
  const once = new Map(offers.map((offer) => [`${offer.connection}\n${offer.name}`, offer]));
  return [...once.values()];
}

/** A tool names its account and not its connection. With one connection asked for there is nothing to tell apart. */
async function owners(
  scalekit: Scalekit,
  identifier: string,
  connections: readonly string[],
): Promise<(accountId: string) => string | undefined> {
  const [only] = connections;
  if (connections.length === 1) return () => only;
  const accounts = await seeAccounts(scalekit, identifier, connections);
  return (accountId) => accounts.find((account) => account.accountId === accountId && accountId !== "")?.connection;
}

async function listScoped(
  scalekit: Scalekit,
  identifier: string,
  connections: readonly string[],
  names: readonly string[] | undefined,
): Promise<ScopedTool[]> {
  const filter = { connectionNames: [...connections], ...(names !== undefined && { toolNames: [...names] }) };
  return allPages(async (pageToken) => {
    const page = await scalekit.ask((sdk) =>
      sdk.tools.listScopedTools(identifier, { filter, pageSize: PAGE_SIZE, ...(pageToken !== "" && { pageToken }) }),
    );
    return { items: page.tools, nextPageToken: page.nextPageToken };
  });
}

/** A tool without a name cannot be called: it is left out. */
export function definitionsOf(told: unknown): SeenTool[] {
  const defined = toJson(told);
  if (!isObject(defined)) return [];
  const { name, description: said } = defined;
  if (typeof name !== "string" || name === "") return [];
  const description = typeof said === "string" && said.trim() !== "" ? said : `The tool ${name}.`;
  const parameters = parametersOf(defined["input_schema"]);
  return [{ name, description, parameters, hash: digest({ name, description, parameters }) }];
}

function digest(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex");
}

const PART = 16;

/** Short digests, only to tell which part of a definition has changed. */
export function partsOf({ description, parameters }: SeenTool): DefinitionParts {
  return { description: digest(description).slice(0, PART), parameters: digest(parameters).slice(0, PART) };
}

/** Switches of Scalekit's own in many tools; a model that fills them in asks for versions that do not exist. */
const HIDDEN: readonly string[] = ["schema_version", "tool_version"];

/** Providers want an object at the root. */
export function parametersOf(schema: unknown): JsonSchema {
  if (!isObject(schema)) return { type: "object", properties: {} };
  const { properties, required, ...rest } = schema;
  const shown = Object.entries(isObject(properties) ? properties : {}).filter(([name]) => !HIDDEN.includes(name));
  const needed = Array.isArray(required) ? required.filter((name) => !HIDDEN.includes(String(name))) : [];
  return {
    ...rest,
    type: "object",
    properties: Object.fromEntries(shown),
    ...(needed.length > 0 && { required: needed }),
  };
}
