/** `errand tools classify`: what the agents' tools do to the world, who says so, and what a person has to read. */
import { classifyTools, type Classification, type ReviewedTool } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter, type Style } from "./io.ts";
import { type Cell, table } from "./table.ts";
import { count, oneLine } from "./units.ts";

export interface ClassifyArgs extends GlobalArgs {
  readonly identifier?: string;
  readonly agent?: string;
  readonly write?: boolean;
}

/** @returns 1 when a tool has changed, was not reviewed, or is not there. @throws what `classifyTools` throws */
export async function classify(args: ClassifyArgs, io: Io): Promise<number> {
  const { config: file, identifier, agent, write } = args;
  const found = await classifyTools(given({ file, identifier, agent, write, cwd: io.cwd, env: io.env }));
  if (args.json === true) jsonLine(io.stdout, found);
  else say(found, io);
  // With a user's word (`no-user`) they can be asked; without an answer nobody can say that nothing has changed.
  const silent = found.unasked.some(({ why }) => why !== "no-user");
  return silent || found.tools.some(({ open }) => open) ? EXIT.error : EXIT.ok;
}

const head = (sources: boolean): readonly Cell[] =>
  ["TOOL", ...(sources ? ["SOURCE"] : []), "AGENTS", "EFFECT", "SAID BY", "DEFINITION", "PROPOSAL"].map((text) => ({
    text,
    style: "dim",
  }));

function say({ tools, unused, written, unasked, path = "" }: Classification, io: Io): void {
  // Where all of them are Scalekit's, nothing is to be told apart.
  const sources = tools.some(({ source }) => source !== "scalekit");
  const rows = tools.map((row) => rowOf(row, sources));
  if (tools.length === 0 && unasked.length === 0) line(io.stderr, "no agent names a tool");
  else if (tools.length > 0)
    for (const text of table([head(sources), ...rows], painter(io.stdout))) line(io.stdout, text);
  for (const { tools: names, why, message } of unasked)
    line(
      io.stderr,
      `${oneLine(message)}: nothing is said of ${names.map((name) => oneLine(name)).join(", ")}${why === "no-user" ? " (--identifier ID)" : ""}`,
    );
  const read = tools.filter(({ open, seen }) => open && seen !== undefined);
  if (read.length > 0) line(io.stdout, "");
  for (const { tool, seen } of read)
    line(io.stdout, `${oneLine(tool)}: ${oneLine((seen?.description ?? "").slice(0, MOST))}`);
  if (unused.length > 0)
    line(io.stderr, `${path}: no agent names ${unused.map((name) => oneLine(name)).join(", ")}: remove the entry`);
  if (written.length > 0)
    line(
      io.stderr,
      `wrote ${count(written.length, "entry", "entries")} to ${path}: read each one, set reviewed to true, commit the file`,
    );
  else if (read.length > 0) line(io.stderr, `${count(read.length, "tool")} to review: ${nextStep(read)}`);
}

/** Of a description. */
const MOST = 300;

function nextStep(read: readonly ReviewedTool[]): string {
  return read.every(({ from }) => from === "unreviewed")
    ? "read each one, set reviewed to true in errand.tools.json, commit the file"
    : "errand tools classify --write proposes entries in errand.tools.json";
}

const SAID_BY = {
  manifest: "errand.tools.json",
  unreviewed: "nobody yet",
  code: "the agent's code",
  shipped: "Errand's review",
  hints: "its server",
  nobody: "nobody",
} as const satisfies Record<NonNullable<ReviewedTool["from"]>, string>;

function rowOf(row: ReviewedTool, sources: boolean): Cell[] {
  const { tool, source, agents, effect, from, definition, changed, open } = row;
  const missing = definition === "missing";
  const inForce: Cell =
    effect === undefined
      ? { text: missing ? "-" : "disabled", style: "red" }
      : { text: effect, ...(open && { style: "yellow" as const }) };
  return [
    { text: oneLine(tool) },
    ...(sources ? [{ text: oneLine(source) }] : []),
    { text: oneLine(agents.join(", ")) },
    inForce,
    { text: from === undefined ? "-" : SAID_BY[from] },
    { text: changed === undefined ? definition : `changed: ${changed.join(", ")}`, ...styleOf(definition) },
    { text: proposalText(row) },
  ];
}

function styleOf(definition: ReviewedTool["definition"]): { style?: Style } {
  return definition === "changed" || definition === "missing" ? { style: "red" } : {};
}

function proposalText({ source, definition, proposal, said }: ReviewedTool): string {
  if (definition === "missing")
    return source === "scalekit"
      ? "check the name, and that the account is connected"
      : `${oneLine(source)} offers no such tool, or more than 100`;
  if (said !== undefined) return `${said} needs ${said === "keyed" ? "key" : "verify"} in the agent's code`;
  return proposal === undefined ? "" : `${proposal.effect} (${oneLine(proposal.reason)})`;
}
