/** Definitions of tools, to be reviewed: those of the environment, or those that one user's accounts offer. */
import type { SeenTool } from "../core/proposal.ts";
import type { SeenDefinition } from "../core/review.ts";
import type { Outage } from "../ports/accounts.ts";
import type { Scalekit } from "./client.ts";
import { outageOf } from "./errors.ts";
import { definitionsOf, listOffers, partsOf } from "./offers.ts";
import { allPages, PAGE_SIZE } from "./pages.ts";

export type Defined = { readonly ok: true; readonly definitions: readonly SeenDefinition[] } | Outage;

/** Contract: never throws. A name may come more than once, with different definitions. */
export interface Catalogue {
  /** What the environment has; needs no user. */
  all(names: readonly string[]): Promise<Defined>;
  /** What a run on behalf of this user would be given. */
  of(identifier: string, connections: readonly string[], names: readonly string[]): Promise<Defined>;
}

export function createCatalogue(scalekit: Scalekit): Catalogue {
  return {
    async all(names) {
      // An empty filter would stand for everything.
      if (names.length === 0) return { ok: true, definitions: [] };
      try {
        const tools = await allPages(async (pageToken) => {
          const page = await scalekit.ask((sdk) =>
            sdk.tools.listTools({
              filter: { toolName: [...names] },
              pageSize: PAGE_SIZE,
              ...(pageToken !== "" && { pageToken }),
            }),
          );
          return { items: page.tools, nextPageToken: page.nextPageToken };
        });
        const definitions = tools.flatMap((tool) => definitionsOf(tool.definition));
        return { ok: true, definitions: definitions.filter(({ name }) => names.includes(name)).map(withParts) };
      } catch (error) {
        return outageOf(error, "list the definitions of tools");
      }
    },
    async of(identifier, connections, names) {
      if (names.length === 0 || connections.length === 0) return { ok: true, definitions: [] };
      try {
        const offers = await listOffers(scalekit, identifier, connections, names);
        return { ok: true, definitions: offers.map(withParts) };
      } catch (error) {
        return outageOf(error, "list the user's tools");
      }
    },
  };
}

function withParts(tool: SeenTool): SeenDefinition {
  const { name, description, parameters, hash } = tool;
  return { name, description, parameters, hash, parts: partsOf(tool) };
}
