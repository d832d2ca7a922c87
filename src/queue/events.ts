/** What stands in the stream of events, as events. Identifier and connections are those of the gates that it names. */
import type { AskedApproval, AuthorizationEvent } from "../core/authorization.ts";
import { parseAccountGate } from "../core/gate.ts";
import type { Need, NeedReason } from "../core/run.ts";

/** As ioredis reads it: an id, and names and values by turns. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** @throws Error on an event that this version does not know */
export function decodeEvent([id, fields]: StreamEntry): AuthorizationEvent<Need> {
  const of = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) of.set(fields[i] ?? "", fields[i + 1] ?? "");
  const type = of.get("type") ?? "";
  if (type === "approval.required") return decodeApproval(id, of);
  const { identifier, needs } = decodeNeeds(of.get("needs") ?? "");
  const base = { id, at: Number(id.split("-")[0]), identifier };
  const run = of.get("run") ?? "";
  const [first] = needs;
  if (first === undefined) throw new Error(`event ${id}: expected accounts that are needed, it names none`);
  switch (type) {
    case "authorization.required":
      return { ...base, type, run, agent: of.get("agent") ?? "", needs };
    case "authorization.reminded":
      return { ...base, type, number: Number(of.get("number")), manual: of.get("manual") === "1", needs };
    case "authorization.granted":
      return { ...base, type, connection: first.connection };
    case "authorization.expired":
      return { ...base, type, connection: first.connection, run };
    default:
      throw new Error(`event ${id}: unknown type "${type}"; was it written by a newer version of Errand?`);
  }
}

function decodeApproval(id: string, of: ReadonlyMap<string, string>): AuthorizationEvent<Need> {
  const [run = "", agent = "", identifier = ""] = ["run", "agent", "identifier"].map((name) => of.get(name));
  const asked = JSON.parse(of.get("asked") ?? "[]") as readonly AskedApproval[];
  const approvals = asked.map((one) => ({ ...one, id: `${run}/${one.id}` }));
  return { id, at: Number(id.split("-")[0]), identifier, type: "approval.required", run, agent, approvals };
}

/** The connections of what a run's header says of its accounts: `/gmail /slack`. */
export function decodeConnections(text: string): string[] {
  return text.split(" ").map((word) => decodeURIComponent(word.slice(word.lastIndexOf("/") + 1)));
}

/** `<gate>=<reason> …`, all of one identifier. */
function decodeNeeds(text: string): { readonly identifier: string; readonly needs: readonly Need[] } {
  let identifier = "";
  const needs = text.split(" ").flatMap((word): Need[] => {
    const [gate = "", reason = ""] = word.split("=");
    const account = parseAccountGate(gate);
    if (account === undefined) return [];
    identifier = account.identifier;
    return [{ connection: account.connection, reason: reason as NeedReason }];
  });
  return { identifier, needs };
}
