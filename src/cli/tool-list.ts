/** `errand tools list | show | lint`: the tools that the agents name. */
import { type Finding, type ListedTool, lintTools, listTools, showTool } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter, type Style } from "./io.ts";
import { type Cell, table } from "./table.ts";
import { count, oneLine } from "./units.ts";

export interface ToolArgs extends GlobalArgs {
  readonly identifier?: string;
  readonly agent?: string;
}

const head = (...names: readonly string[]): Cell[] => names.map((text) => ({ text, style: "dim" }));

/** @returns 1 when a tool is missing or has changed. @throws what `listTools` throws */
export async function list({ config: file, identifier, agent, json }: ToolArgs, io: Io): Promise<number> {
  const tools = await listTools(given({ file, identifier, agent, cwd: io.cwd, env: io.env }));
  if (json === true) jsonLine(io.stdout, { tools });
  else if (tools.length === 0) line(io.stderr, "no agent names a tool");
  else {
    const rows = [head("TOOL", "SOURCE", "EFFECT", "VERSIONS", "APPROVAL", "AGENTS"), ...tools.map(rowOf)];
    for (const text of table(rows, painter(io.stdout))) line(io.stdout, text);
  }
  return tools.some(({ problem }) => problem !== undefined) ? EXIT.error : EXIT.ok;
}

function rowOf({
  name,
  source,
  effect,
  problem,
  versions,
  version,
  needsApproval,
  hidden,
  agents,
}: ListedTool): Cell[] {
  const bad: { style?: Style } = problem === undefined ? {} : { style: "red" };
  return [
    { text: oneLine(name) + (hidden ? " (hidden)" : "") },
    { text: oneLine(source) },
    { text: problem ?? effect ?? "unsaid", ...bad },
    { text: version ?? versions.map((one) => oneLine(versionText(one))).join(", ") },
    { text: needsApproval ? "asks" : "" },
    { text: oneLine(agents.join(", ")) },
  ];
}

function versionText({ version = "-", share, identifiers, deprecated }: ListedTool["versions"][number]): string {
  const whom = [
    ...(share === undefined ? [] : [`${Math.round(share * 100)} %`]),
    ...(identifiers === undefined ? [] : [count(identifiers.length, "user")]),
    ...(deprecated === undefined ? [] : ["deprecated"]),
  ];
  return whom.length === 0 ? version : `${version} (${whom.join(", ")})`;
}

/** @throws what `showTool` throws */
export async function show(name: string, { config: file, identifier, agent, json }: ToolArgs, io: Io): Promise<number> {
  const tool = await showTool(name, given({ file, identifier, agent, cwd: io.cwd, env: io.env }));
  if (json === true) {
    jsonLine(io.stdout, tool);
    return tool.problem === undefined ? EXIT.ok : EXIT.error;
  }
  const { source, effect, connection, versions, version, needsApproval, description, parameters, problem } = tool;
  const told: readonly (readonly [string, string | undefined])[] = [
    ["tool", name],
    ["source", source],
    ["connection", connection],
    ["effect", effect ?? "unsaid: the reviewed manifest's, or unsafe"],
    ["version", version],
    ["versions", versions.length === 0 ? undefined : versions.map(versionText).join(", ")],
    ["approval", needsApproval ? "may be asked for" : undefined],
    ["agents", tool.agents.join(", ") + (tool.hidden ? " (hidden from the model)" : "")],
    ["problem", problem],
    ["description", description],
  ];
  const rows = told.flatMap(([what, text]): Cell[][] =>
    text === undefined ? [] : [[{ text: what, style: "dim" }, { text: oneLine(text) }]],
  );
  for (const text of table(rows, painter(io.stdout))) line(io.stdout, text);
  if (parameters === undefined)
    line(io.stderr, "its definition is known to its source: errand tools show … --identifier <id>");
  else line(io.stdout, JSON.stringify(parameters, null, 2));
  return problem === undefined ? EXIT.ok : EXIT.error;
}

/** @returns 1 when there is an error. @throws what `lintTools` throws */
export async function lint({ config: file, agent, identifier, json }: ToolArgs, io: Io): Promise<number> {
  const findings = await lintTools(given({ file, agent, identifier, cwd: io.cwd, env: io.env }));
  if (json === true) jsonLine(io.stdout, { findings });
  else if (findings.length === 0)
    line(
      io.stderr,
      `nothing to say of the tools that the agents' code ${identifier === undefined ? "defines" : "and their servers define"}`,
    );
  else
    for (const text of table([head("TOOL", "RULE", "", ""), ...findings.map(lintRow)], painter(io.stdout)))
      line(io.stdout, text);
  return findings.some(({ level }) => level === "error") ? EXIT.error : EXIT.ok;
}

function lintRow({ tool, rule, level, message }: Finding): Cell[] {
  const style: Style = level === "error" ? "red" : "yellow";
  return [{ text: oneLine(tool) }, { text: rule }, { text: level, style }, { text: oneLine(message) }];
}
