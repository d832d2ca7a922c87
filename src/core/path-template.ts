/**
 * Paths of a provider's API with places for arguments: `/repos/{owner}/{repo}/issues/{number}/comments`. Pure.
 *
 * Scalekit's own management API lies beside its proxy, and the same token opens both: a path that climbs out of the proxy is the worst
 * hole of this design (facts/reliability.md F3). So a value is one segment, encoded, and never something that any server on the way
 * could read as a separator or as a step up: what would have to be decoded twice to be harmful is refused, not encoded.
 */

/** One segment: fixed texts and names of arguments, in turn. `many`: the argument may hold several segments. */
interface Segment {
  readonly parts: readonly (string | { readonly name: string })[];
  readonly many: boolean;
}

export interface PathTemplate {
  readonly text: string;
  /** Names of the arguments, in the order of their places. */
  readonly names: readonly string[];
  readonly segments: readonly Segment[];
}

export type Rendered =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly name: string; readonly problem: string };

/** What needs no encoding in a segment (RFC 3986 §3.3), without `;`, which some servers read as the start of parameters. */
const FIXED = /^[A-Za-z0-9._~!$&'()*+,=:@-]*$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const MOST_SEGMENT = 1_024;

/** @param refuse throws, with what was expected */
export function pathTemplate(text: string, refuse: (message: string) => never): PathTemplate {
  const wrong = (why: string): never =>
    refuse(`path: ${why}; expected a path from its root such as "/users/{user}/posts", got ${JSON.stringify(text)}.`);
  if (typeof text !== "string" || !text.startsWith("/") || text.length < 2) return wrong("it does not begin with /");
  const segments = text
    .slice(1)
    .split("/")
    .map((segment) => parse(segment, wrong));
  const names = segments.flatMap(({ parts }) => parts.flatMap((part) => (typeof part === "string" ? [] : [part.name])));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return wrong(`{${twice}} stands in it twice`);
  return { text, names, segments };
}

function parse(segment: string, wrong: (why: string) => never): Segment {
  if (segment === "") return wrong("it has an empty segment");
  const many = /^\{([^{}]*)\*\}$/.exec(segment)?.[1];
  if (many !== undefined) return { parts: [{ name: nameOf(many, wrong) }], many: true };
  const parts = segment
    .split(/(\{[^{}]*\})/)
    .filter((part) => part !== "")
    .map((part) => {
      if (part.startsWith("{")) return { name: nameOf(part.slice(1, -1), wrong) };
      return FIXED.test(part)
        ? part
        : wrong(`${JSON.stringify(part)} holds a character that has no place in a segment`);
    });
  if (parts.every((part) => typeof part === "string") && isStep(parts.join("")))
    return wrong(`${JSON.stringify(segment)} is no segment of its own`);
  return { parts, many: false };
}

function nameOf(name: string, wrong: (why: string) => never): string {
  return NAME.test(name) ? name : wrong(`{${name}} is no name`);
}

/** The path with these arguments in their places, each encoded. */
export function renderPath({ segments }: PathTemplate, args: Readonly<Record<string, unknown>>): Rendered {
  let path = "";
  for (const { parts, many } of segments) {
    const made = many ? several(parts, args) : one(parts, args);
    if (!made.ok) return made;
    path += made.path;
  }
  return { ok: true, path };
}

function several(parts: Segment["parts"], args: Readonly<Record<string, unknown>>): Rendered {
  const [part] = parts;
  const name = typeof part === "object" ? part.name : "";
  const value = textOf(args[name]);
  if (value === undefined) return { ok: false, name, problem: "expected a text" };
  let path = "";
  for (const text of value.replace(/^\//, "").split("/")) {
    const problem = problemOf(text);
    if (problem !== undefined) return { ok: false, name, problem };
    path += `/${encodeURIComponent(text)}`;
  }
  return { ok: true, path };
}

function one(parts: Segment["parts"], args: Readonly<Record<string, unknown>>): Rendered {
  let raw = "";
  let path = "";
  let last = "";
  for (const part of parts) {
    if (typeof part === "string") {
      raw += part;
      path += part;
      continue;
    }
    const value = textOf(args[part.name]);
    const problem = value === undefined ? "expected a text or a number" : problemOf(value, parts.length === 1);
    if (value === undefined || problem !== undefined) return { ok: false, name: part.name, problem: problem ?? "" };
    last = part.name;
    raw += value;
    path += encodeURIComponent(value);
  }
  // Harmless parts may make a step up together: "{a}{b}" with a dot each.
  const problem = problemOf(raw);
  return problem === undefined ? { ok: true, path: `/${path}` } : { ok: false, name: last, problem };
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" && Number.isFinite(value) ? String(value) : undefined;
}

/** Why this text cannot be one segment of a path, or a part of one. */
function problemOf(text: string, whole: boolean = true): string | undefined {
  if (text === "") return "must not be empty";
  if (text.length > MOST_SEGMENT) return `is longer than ${MOST_SEGMENT} characters`;
  if (!text.isWellFormed()) return "is no valid Unicode";
  // Some servers make compatible characters equal first: ．．／ is ../ there.
  for (const form of [text, text.normalize("NFKC")]) {
    if (/[/\\]/.test(form)) return "must not hold a slash or backslash";
    if (/%[0-9a-f]{2}/i.test(form)) return "must not be percent-encoded: it is encoded here";
    if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(form)) return "must not hold control or invisible characters";
    if (form !== form.trim()) return "must not begin or end with a space";
    if (whole && isStep(form)) return "must not be made of dots";
  }
  return undefined;
}

/** `.`, `..`, and what a lax server takes for one: `...`, `..;x`. */
function isStep(text: string): boolean {
  return /^\.+(;.*)?$/.test(text);
}
