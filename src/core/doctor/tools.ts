/** Sources of tools beside Scalekit: what they say of the names that agents take from them. */
import type { Agent } from "../agent.ts";
import { clashingNames, missingNames, namesakes, type ToldNames } from "../told-names.ts";
import { type Check, checker } from "./check.ts";

export interface ToolFacts {
  readonly agents: readonly Agent[];
  readonly told: readonly ToldNames[];
  /** Why the sources could not be opened, in words of its own. */
  readonly problem?: string;
}

const { ok, warning, failed, skipped } = checker("tools");

export function checkTools({ agents, told, problem }: ToolFacts): Check[] {
  if (problem !== undefined)
    return [failed("sources", problem, "Correct it: workers do not start; no server was asked.")];
  const sources = [...new Set(told.map(({ source }) => source))];
  return [
    ...sources.map((source) =>
      checkSource(
        source,
        told.filter((one) => one.source === source),
      ),
    ),
    ...clashingNames(agents, told).map((clash) =>
      failed(
        "names",
        `${clash}: a run could not tell them apart`,
        "Name the tools that it needs one by one instead of all(), or give an MCP server a `prefix`.",
      ),
    ),
    ...sharedNames(agents, told),
  ];
}

function checkSource(source: string, told: readonly ToldNames[]): Check {
  const unasked = told.flatMap(({ told: its }) => (its.ok ? [] : [its]))[0];
  const users = [...new Set(told.map(({ agent }) => agent))].join(", ");
  switch (unasked?.why) {
    case "no-user":
      return skipped(source, `each user has tools of their own there`, "See: errand tools list --identifier ID.");
    case "credentials":
      return failed(source, unasked.message, `Correct its credentials: until then runs of ${users} wait.`);
    case "late":
    case "unavailable":
      return failed(source, unasked.message, `Check its address and the way there: until then runs of ${users} wait.`);
    default: {
      const missing = told.flatMap(missingNames);
      if (missing.length > 0)
        return failed(source, missing.join(" "), "Correct the names: workers do not start with them.");
      const offered = new Set(told.flatMap(({ told: its }) => (its.ok ? its.offered : [])));
      return ok(source, `all ${offered.size} tools that agents take from it`);
    }
  }
}

function sharedNames(agents: readonly Agent[], told: readonly ToldNames[]): Check[] {
  const alike = namesakes(agents, told);
  if (alike.length === 0 || clashingNames(agents, told).length > 0) return [];
  const todo = "Give one of them another name: a review in errand.tools.json goes by the name alone.";
  return [warning("names", `agents take one name from different sources: ${alike.join("; ")}`, todo)];
}
