/** The reviewed effects of an app's tools: the format of errand.tools.json. */
import { type Effect, EFFECTS } from "./effects.ts";
import { ErrandError } from "./errors.ts";
import { isObject } from "./json.ts";
import { nearest } from "./nearest.ts";

/** The name of the file, beside errand.config.ts. */
export const MANIFEST_FILE = "errand.tools.json";

/** What stands in errand.tools.json, which the app commits: for each tool what a person has said of one definition of it. */
export interface ToolManifest {
  readonly version: 1;
  readonly tools: Readonly<Record<string, ManifestEntry>>;
}

export interface ManifestEntry {
  /** sha256 of the definition that was reviewed, as `errand tools classify` writes it. A tool with another one is disabled. */
  readonly hash: string;
  readonly effect: Effect;
  /** Until a person has said so, the tool is `unsafe`, whatever `effect` proposes. */
  readonly reviewed: boolean;
  readonly note?: string;
  /** To tell what has changed. Decides nothing. */
  readonly parts?: DefinitionParts;
}

/** Digests of the two parts of a definition that may change under the same name. */
export interface DefinitionParts {
  readonly description: string;
  readonly parameters: string;
}

/** A manifest as it is given: also `import manifest from "./errand.tools.json" with { type: "json" }`. Checked by `createErrand`. */
export interface GivenManifest {
  readonly version: number;
  readonly tools: Readonly<
    Record<
      string,
      {
        readonly hash: string;
        readonly effect: string;
        readonly reviewed: boolean;
        readonly note?: string | undefined;
        readonly parts?: DefinitionParts | undefined;
      }
    >
  >;
}

export function entryOf(manifest: ToolManifest | undefined, tool: string): ManifestEntry | undefined {
  return manifest !== undefined && Object.hasOwn(manifest.tools, tool) ? manifest.tools[tool] : undefined;
}

/** @param where what to call it in an error: a path. @throws ErrandError `config-invalid` */
export function parseManifest(text: string, where: string): ToolManifest {
  // Some editors on Windows begin a file with a byte order mark.
  const json = text.replace(/^\uFEFF/, "");
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw invalid(where, [`expected JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const twice = namedTwice(json);
  if (twice.length > 0)
    throw invalid(
      where,
      twice.map((path) => `${path} is named twice; JSON would keep the last one. Remove one of them`),
    );
  return checkManifest(value, where);
}

const MOST_PROBLEMS = 10;

/** @param where what to call it in an error. @throws ErrandError `config-invalid`: all problems at once, each with its path */
export function checkManifest(value: unknown, where: string): ToolManifest {
  const problems = problemsOf(value);
  if (problems.length > 0) throw invalid(where, problems);
  return value as ToolManifest;
}

function invalid(where: string, problems: readonly string[]): ErrandError {
  const more = problems.length - MOST_PROBLEMS;
  const told = problems.slice(0, MOST_PROBLEMS).join("; ") + (more > 0 ? `; and ${more} more` : "");
  return new ErrandError("config-invalid", `${where}: ${told}. \`errand tools classify --write\` writes such a file.`);
}

function problemsOf(value: unknown): string[] {
  if (!isObject(value)) return [`expected { "version": 1, "tools": { … } }, got ${kindOf(value)}`];
  if (value["version"] !== 1)
    return [`version: expected 1, got ${shown(value["version"])}. A newer Errand may have written it`];
  const { tools } = value;
  if (!isObject(tools))
    return [`tools: expected { "<tool name>": { "hash", "effect", "reviewed" } }, got ${kindOf(tools)}`];
  return [
    ...unknownKeys(value, ["version", "tools"], ""),
    ...Object.entries(tools).flatMap(([name, entry]) => entryProblems(entry, `tools.${name === "" ? '""' : name}`)),
  ];
}

const HASH = /^[0-9a-f]{64}$/;

function entryProblems(entry: unknown, path: string): string[] {
  if (!isObject(entry)) return [`${path}: expected { "hash", "effect", "reviewed" }, got ${kindOf(entry)}`];
  const { hash, effect, reviewed, note, parts } = entry;
  const problems = unknownKeys(entry, ["hash", "effect", "reviewed", "note", "parts"], `${path}: `);
  if (typeof hash !== "string" || !HASH.test(hash))
    problems.push(`${path}.hash: expected 64 hex digits in lower case, got ${shown(hash)}`);
  if (!(EFFECTS as readonly unknown[]).includes(effect))
    problems.push(
      `${path}.effect: expected one of ${EFFECTS.join(", ")}, got ${shown(effect)}${typeof effect === "string" ? hint(effect, EFFECTS) : ""}`,
    );
  if (typeof reviewed !== "boolean") problems.push(`${path}.reviewed: expected true or false, got ${shown(reviewed)}`);
  if (note !== undefined && typeof note !== "string")
    problems.push(`${path}.note: expected a text, got ${kindOf(note)}`);
  if (parts !== undefined && !isParts(parts))
    problems.push(`${path}.parts: expected { "description", "parameters" } as written by Errand, or nothing`);
  return problems;
}

function isParts(parts: unknown): boolean {
  return isObject(parts) && typeof parts["description"] === "string" && typeof parts["parameters"] === "string";
}

/** A slip of the pen in a key must not turn into "not said". */
function unknownKeys(value: Readonly<Record<string, unknown>>, known: readonly string[], path: string): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${path}there is no ${shown(key)}${hint(key, known)}`);
}

function hint(name: string, known: readonly string[]): string {
  const [close] = nearest(name.slice(0, 100), known);
  return close === undefined ? "" : ` (did you mean ${shown(close)}?)`;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "object" ? kindOf(value) : JSON.stringify(value).slice(0, 100);
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  return value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

/** Paths of keys that stand twice in one object, which JSON.parse does not tell. @param json valid JSON */
export function namedTwice(json: string): string[] {
  const twice: string[] = [];
  const open: { readonly keys: Set<string>; key: string }[] = [];
  let text = "";
  for (const [token] of json.matchAll(TOKENS)) {
    const inner = open.at(-1);
    if (token === "{" || token === "[") open.push({ keys: new Set(), key: "" });
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":" && inner !== undefined) {
      inner.key = JSON.parse(text) as string;
      if (inner.keys.has(inner.key)) twice.push(open.map(({ key }) => key).join("."));
      inner.keys.add(inner.key);
    } else text = token;
  }
  return twice;
}
