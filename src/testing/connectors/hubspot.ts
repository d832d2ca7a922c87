/** HubSpot on CrmRecords: one search tool, and a little of its CRM API. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { defineConnector, type Connector } from "./connector.ts";
import { CrmRecords, type CrmRecord } from "./crm-records.ts";
import { ToolFailure } from "./failure.ts";
import { integer, list, text } from "./input.ts";
import { proxyRoutes } from "./proxy-routes.ts";

const OBJECTS = "/crm/v3/objects";
const AT = "2026-03-02T12:00:00Z";

export const hubspot: Connector = defineConnector<CrmRecords>({
  name: "hubspot",
  title: "HubSpot",
  scopes: ["crm.objects.deals.read", "crm.objects.deals.write"],
  tools: [
    {
      name: "hubspot_deals_search",
      description: "Search deals.",
      parameters: {
        query: { type: "string", description: "Words to look for" },
        filterGroups: { type: "string", description: "Filters, as JSON text" },
        properties: { type: "array", items: { type: "string" }, description: "Names of the properties to show" },
        limit: { type: "integer", description: "How many at most: 1 to 200, default 10" },
        after: { type: "string", description: "Where the page before ended" },
      },
      run: (input, records) =>
        search("deals", { ...input, filterGroups: parsed(text(input, "filterGroups")) }, records),
    },
  ],
  world: () => new CrmRecords(),
  proxy: proxyRoutes<CrmRecords>(
    [
      {
        at: `POST ${OBJECTS}/{kind}/search`,
        answer: (given, records) => search(text(given, "kind") ?? "", given, records),
      },
      {
        at: `GET ${OBJECTS}/{kind}/{id}`,
        answer: (given, records) => {
          const found = records.of(text(given, "kind") ?? "").find(({ Id }) => Id === given["id"]);
          return resource(found ?? notFound(), list(given, "properties"));
        },
      },
      {
        at: `PATCH ${OBJECTS}/{kind}/{id}`,
        answer(given, records) {
          const { properties } = given;
          if (!isObject(properties)) throw new ToolFailure(400, "VALIDATION_ERROR", "Invalid input JSON");
          const changed = records.change(text(given, "kind") ?? "", text(given, "id") ?? "", properties) ?? notFound();
          return resource(changed, Object.keys(properties));
        },
      },
    ],
    ({ code, message }) => ({ status: "error", category: code, message, correlationId: "c0ffee" }),
  ),
});

function search(kind: string, input: JsonObject, records: CrmRecords): JsonObject {
  if (!records.has(kind)) throw new ToolFailure(400, "VALIDATION_ERROR", `Unable to infer object type from: ${kind}`);
  const words = (text(input, "query") ?? "").toLowerCase();
  const groups = Array.isArray(input["filterGroups"]) ? input["filterGroups"].filter(isObject) : [];
  const found = records
    .of(kind)
    .filter((record) => words === "" || JSON.stringify(record).toLowerCase().includes(words))
    .filter((record) => groups.length === 0 || groups.some((group) => inGroup(record, group)));
  const start = integer(input, "after", 0, [0, found.length]);
  const end = start + integer(input, "limit", 10, [1, 200]);
  const results = found.slice(start, end).map((record) => resource(record, list(input, "properties")));
  return { total: found.length, results, ...(end < found.length && { paging: { next: { after: String(end) } } }) };
}

function inGroup(record: CrmRecord, { filters }: JsonObject): boolean {
  return (Array.isArray(filters) ? filters.filter(isObject) : []).every((filter) => {
    const held = text(record, text(filter, "propertyName") ?? "") ?? "";
    const value = text(filter, "value") ?? "";
    switch (filter["operator"]) {
      case "EQ":
        return held === value;
      case "NEQ":
        return held !== value;
      case "GT":
        return Number(held) > Number(value);
      case "LT":
        return Number(held) < Number(value);
      default:
        throw new ToolFailure(400, "VALIDATION_ERROR", "Invalid operator");
    }
  });
}

/** All values are texts there. */
function resource(record: CrmRecord, names: readonly string[]): JsonObject {
  const wanted = names.length > 0 ? names : ["dealname", "amount", "dealstage"];
  const properties = Object.fromEntries(
    [...wanted, "hs_object_id"].map((name) => [name, name === "hs_object_id" ? record.Id : (text(record, name) ?? "")]),
  );
  return { id: record.Id, properties, createdAt: AT, updatedAt: AT, archived: false };
}

function notFound(): never {
  throw new ToolFailure(404, "OBJECT_NOT_FOUND", "Object not found");
}

function parsed(json: string | undefined): JsonValue {
  if (json === undefined) return [];
  try {
    return JSON.parse(json) as JsonValue;
  } catch {
    throw new ToolFailure(400, "VALIDATION_ERROR", "Invalid input JSON");
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
