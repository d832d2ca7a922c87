/** One version of a tool of the app's own, and which of several a run starts with. */
import { isDeepStrictEqual } from "node:util";
import type { Effect } from "../../core/effects.ts";
import { ErrandError } from "../../core/errors.ts";
import type { JsonSchema, Schema } from "../../core/schema.ts";
import type { ToolContext } from "../../core/tool-context.ts";
import { LOCAL, type ToolDefinition } from "../../core/tool-use.ts";

export { LOCAL };

export interface Variant {
  readonly name: string;
  /** Absent: there are no versions, and a run calls whatever is deployed. */
  readonly version?: string;
  /** Why it should not be used any more. Runs that began with it still call it. */
  readonly deprecated?: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  /** Validates and completes the input beyond JSON Schema. */
  readonly input?: Schema<unknown, unknown>;
  readonly output?: Schema<unknown, unknown> | JsonSchema;
  readonly effect: Effect;
  /** Its code says so. */
  readonly saysEffect: boolean;
  readonly composite: boolean;
  readonly attempts?: number;
  readonly timeoutMs?: number;
  /** The only hosts that `ctx.utils.httpRequest` asks. */
  readonly hosts?: readonly string[];
  readonly execute: (input: never, context: ToolContext) => unknown;
}

/** A tool of the app's own, as `tool()` makes it. */
export interface LocalTool extends ToolDefinition {
  readonly source: typeof LOCAL;
  /** Versions, with what decides who gets them. */
  readonly variants: readonly Offered[];
}

export interface Offered {
  readonly variant: Variant;
  /** In [0, 1]: of all identifiers; the same ones as long as it is raised only. Absent: all that no other version takes. */
  readonly share?: number;
  /** These in any case. */
  readonly identifiers?: readonly string[];
}

export interface Rollout {
  readonly tool: LocalTool;
  readonly share?: number;
  readonly identifiers?: readonly string[];
}

/**
 * Several versions of one tool. A run starts with the first in the list that takes its identifier, by `identifiers` or by its `share`;
 * with the last one that has neither, if none does. It calls that version for as long as it lasts.
 * @throws ErrandError `tool-invalid`
 */
export function toolVersions(versions: readonly (LocalTool | Rollout)[]): LocalTool {
  const all = versions.map((one) => ("tool" in one ? one : { tool: one }));
  const [first] = all;
  const refuse = (message: string): never => {
    throw new ErrandError("tool-invalid", `toolVersions: ${first?.tool.name ?? ""}: ${message}`);
  };
  if (first === undefined) return refuse("expected at least one tool.");
  const offered = all.flatMap(({ tool, share, identifiers }): Offered[] => {
    if (tool.name !== first.tool.name) refuse(`expected versions of one tool, got "${tool.name}" as well.`);
    if (share !== undefined && !(share >= 0 && share <= 1))
      refuse(`share: expected a number from 0 to 1, got ${share}.`);
    return tool.variants.map(({ variant }) => ({
      variant,
      ...(share !== undefined && { share }),
      ...(identifiers !== undefined && { identifiers }),
    }));
  });
  const names = offered.map(({ variant }) => variant.version);
  for (const [i, name] of names.entries()) {
    if (name === undefined) refuse("each of several versions needs `version`.");
    if (names.indexOf(name) !== i) refuse(`version ${JSON.stringify(name)} is given twice.`);
  }
  for (const { tool } of all)
    for (const what of ["needsApproval", "trusted", "hidden", "polling"] as const)
      if (!isDeepStrictEqual(tool[what], first.tool[what]))
        refuse(`${what}: the versions do not agree; say it of all: { ...toolVersions([…]), ${what}: … }.`);
  if (!offered.some(isRest)) refuse("one version needs neither share nor identifiers: it is for everybody else.");
  const uses = all.flatMap(({ tool }) => tool.uses ?? []);
  return { ...first.tool, variants: offered, ...(uses.length > 0 && { uses }) };
}

function isRest({ share, identifiers }: Offered): boolean {
  return share === undefined && identifiers === undefined;
}

/** @param hash gives at least 8 hex digits */
export function chooseVariant(
  offered: readonly Offered[],
  identifier: string,
  hash: (text: string) => string,
): Variant | undefined {
  const taken = offered.find(({ variant, share = 0, identifiers = [] }) => {
    if (identifiers.includes(identifier)) return true;
    const place = Number.parseInt(hash(`${variant.name}|${variant.version}|${identifier}`).slice(0, 8), 16) / 2 ** 32;
    return place < share;
  });
  return (taken ?? offered.findLast(isRest))?.variant;
}
