/** Salesforce on CrmRecords: one query tool, and a little of its REST API. Errors are a list, as Salesforce's are. */
import type { JsonObject } from "@bufbuild/protobuf";
import { defineConnector, type Connector } from "./connector.ts";
import { CrmRecords, type CrmRecord } from "./crm-records.ts";
import { ToolFailure } from "./failure.ts";
import { text } from "./input.ts";
import { proxyRoutes } from "./proxy-routes.ts";

const QUERY = /^select (.+?) from (\w+)(?: where (.+?))?(?: order by (\w+)(?: (asc|desc))?)?(?: limit (\d+))?$/i;
const CONDITION = /^(\w+) ?(=|!=|>=|<=|>|<) ?(?:'((?:[^'\\]|\\.)*)'|([\d.]+|true|false))$/i;
const DATA = "/services/data/{version}";

export const salesforce: Connector = defineConnector<CrmRecords>({
  name: "salesforce",
  title: "Salesforce",
  scopes: ["api", "refresh_token"],
  tools: [
    {
      name: "salesforce_query_soql",
      description: "Run a SOQL query.",
      parameters: { query: { type: "string", description: "The query: SELECT … FROM … WHERE … LIMIT …" } },
      required: ["query"],
      run: (input, records) => query(text(input, "query") ?? "", records),
    },
  ],
  world: () => new CrmRecords(),
  proxy: proxyRoutes<CrmRecords>(
    [
      { at: `GET ${DATA}/query`, answer: (given, records) => query(text(given, "q") ?? "", records) },
      {
        at: `GET ${DATA}/sobjects/{kind}/{id}`,
        answer(given, records) {
          const found = records.of(text(given, "kind") ?? "").find(({ Id }) => Id === given["id"]);
          if (found === undefined) throw new ToolFailure(404, "NOT_FOUND", "The requested resource does not exist");
          return { ...shown(text(given, "kind") ?? "", found), ...found };
        },
      },
    ],
    ({ code, message }) => [{ message, errorCode: code }],
  ),
});

/** @throws ToolFailure 400 MALFORMED_QUERY */
function query(soql: string, records: CrmRecords): JsonObject {
  const [, fields = "", kind = "", where, order, direction, limit] =
    QUERY.exec(soql.trim().replaceAll(/\s+/g, " ")) ?? malformed(`unexpected token: ${soql.slice(0, 40)}`);
  if (!records.has(kind)) throw new ToolFailure(400, "INVALID_TYPE", `sObject type '${kind}' is not supported.`);
  const fit = where === undefined ? [] : where.split(/ and /i).map(condition);
  const found = records.of(kind).filter((record) => fit.every((fits) => fits(record)));
  const sorted =
    order === undefined
      ? found
      : found.toSorted((a, b) => compare(a[order], b[order]) * (direction?.toLowerCase() === "desc" ? -1 : 1));
  const names = fields.split(",").map((name) => name.trim());
  const page = limit === undefined ? sorted : sorted.slice(0, Number(limit));
  const rows = page.map((record) => ({
    ...shown(kind, record),
    ...Object.fromEntries(names.map((name) => [name, record[name] ?? null])),
  }));
  return { totalSize: rows.length, done: true, records: rows };
}

/** What comes with every record, asked for or not. */
function shown(kind: string, { Id }: CrmRecord): JsonObject {
  return { attributes: { type: kind, url: `/services/data/v61.0/sobjects/${kind}/${Id}` } };
}

function condition(given: string): (record: CrmRecord) => boolean {
  const [, field = "", operator = "", quoted, plain] =
    CONDITION.exec(given.trim()) ?? malformed(`unexpected token: ${given.slice(0, 40)}`);
  const wanted =
    quoted?.replaceAll(/\\(.)/g, "$1") ?? (plain === "true" || plain === "false" ? plain === "true" : Number(plain));
  return (record) => {
    const order = compare(record[field], wanted);
    if (operator === "=") return order === 0;
    if (operator === "!=") return order !== 0;
    return (
      (order > 0 && operator.startsWith(">")) ||
      (order < 0 && operator.startsWith("<")) ||
      (order === 0 && operator.endsWith("="))
    );
  };
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

function malformed(message: string): never {
  throw new ToolFailure(400, "MALFORMED_QUERY", message);
}
