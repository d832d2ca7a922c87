/** `errand tools classify`: what the tools of the agents do to the world, who says so, and what a person has to read. */
import { rename, writeFile } from "node:fs/promises";
import { loadConfig, type LoadOptions } from "./config-file.ts";
import type { Agent } from "./core/agent.ts";
import { registerAgents } from "./core/agents.ts";
import { ErrandError } from "./core/errors.ts";
import { checkIdentifier } from "./core/identifier.ts";
import { checkManifest, MANIFEST_FILE, type ToolManifest } from "./core/manifest.ts";
import { type Review, withProposals } from "./core/review.ts";
import { required } from "./options.ts";
import { openScalekit } from "./parts.ts";
import { reviewTools, type UnaskedSource } from "./tool-review.ts";
import { openSources } from "./tool-sources.ts";

export type { DefinitionState, Review, ReviewedTool } from "./core/review.ts";

export type { UnaskedSource } from "./tool-review.ts";

export interface ClassifyOptions extends Pick<LoadOptions, "file" | "cwd" | "env"> {
  /** The definitions that this user's connected accounts offer; default: those of the environment, for which no user is needed. */
  readonly identifier?: string;
  /** Only this agent's tools. */
  readonly agent?: string;
  /** Writes an entry to review into errand.tools.json for each tool that needs one. */
  readonly write?: boolean;
}

export interface Classification extends Review {
  /** Where the manifest stands, or would stand; absent when the config file gives it itself. */
  readonly path?: string;
  /** Tools of which an entry was written. */
  readonly written: readonly string[];
  /** MCP servers and KruxOS gateways that could not be asked, or only for a user (`identifier`): nothing is said of their tools. */
  readonly unasked: readonly UnaskedSource[];
}

/**
 * Asks Scalekit, MCP servers and KruxOS gateways for the definitions of the agents' tools and compares them with what was reviewed. Executes no tool.
 * @throws ErrandError `config-…`, `agent-unknown`, `identifier-invalid`, `option-invalid`, `scalekit-auth`, `scalekit-unavailable`
 */
export async function classifyTools({
  identifier,
  agent,
  write = false,
  ...where
}: ClassifyOptions = {}): Promise<Classification> {
  const { path, manifestPath, options } = await loadConfig({ ...where, needs: ["scalekit"] });
  if (identifier !== undefined) checkIdentifier(identifier);
  if (write && manifestPath === undefined)
    throw new ErrandError(
      "option-invalid",
      `--write: ${path ?? "the config file"} gives its own \`manifest\`, so a ${MANIFEST_FILE} would not be read. Leave \`manifest\` out: the file beside it is found by itself.`,
    );
  const all = registerAgents(options.agents, undefined);
  const agents: readonly Agent[] = agent === undefined ? all.all : [all.need(agent)];
  const manifest = options.manifest && checkManifest(options.manifest, `${path}: manifest`);
  const scalekit = openScalekit(required(options.scalekit, "scalekit"), manifest);
  const registry = openSources(all.all, scalekit);
  try {
    const { sources } = registry;
    const found = await reviewTools({ ...scalekit, sources }, { agents, all: all.all, identifier });
    if (!found.ok)
      throw new ErrandError(found.why === "credentials" ? "scalekit-auth" : "scalekit-unavailable", found.message);
    const { unasked } = found;
    const at = manifestPath === undefined ? {} : { path: manifestPath };
    if (!write || manifestPath === undefined) return { ...found.review, ...at, written: [], unasked };
    const proposed = withProposals(manifest, found.review.tools);
    if (proposed.written.length > 0) await save(manifestPath, proposed.manifest);
    return { ...found.review, ...at, written: proposed.written, unasked };
  } finally {
    await registry.close();
    await scalekit.close();
  }
}

/** Whole or not at all: a worker may read it at this moment. */
async function save(path: string, manifest: ToolManifest): Promise<void> {
  const part = `${path}.${process.pid}.part`;
  try {
    await writeFile(part, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(part, path);
  } catch (error) {
    throw new ErrandError(
      "config-invalid",
      `${path} could not be written: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
