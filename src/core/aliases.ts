/**
 * What models call tools whose own names no provider takes: longer than 64 characters, dotted, or otherwise beyond `[a-zA-Z0-9_-]`.
 * The aliases are frozen with the run's tools, so that a transcript reads the same whatever is deployed meanwhile.
 */
import type { FrozenTool } from "./run.ts";

const ACCEPTED = /^[a-zA-Z0-9_-]{1,64}$/;
const LONGEST = 64;
const DIGEST = 8;

/** Gives each such tool an alias that no other tool has as its name or alias. @param hash of a text, in hex */
export function withAliases(tools: readonly FrozenTool[], hash: (text: string) => string): readonly FrozenTool[] {
  const taken = new Set(tools.map(({ name }) => name));
  return tools.map((tool) => {
    if (ACCEPTED.test(tool.name)) return tool;
    const plain = tool.name.replaceAll(/[^a-zA-Z0-9_-]+/g, "_") || "tool";
    // A short plain form is easier to read; a digest of the whole name tells apart what is equal without its end or its dots.
    const digested = (salt: string): string =>
      `${plain.slice(0, LONGEST - DIGEST - 1)}_${hash(tool.name + salt).slice(0, DIGEST)}`;
    let alias = plain.length <= LONGEST && !taken.has(plain) ? plain : digested("");
    for (let salt = 1; taken.has(alias); salt++) alias = digested(`\n${salt}`);
    taken.add(alias);
    return { ...tool, alias };
  });
}

/** The name by which models know a tool. */
export function shownName({ name, alias }: Pick<FrozenTool, "name" | "alias">): string {
  return alias ?? name;
}

/** The tool that a model means: by the name that it was shown; or by the tool's own, which instructions may use. */
export function toolNamed(tools: readonly FrozenTool[], name: string): FrozenTool | undefined {
  return tools.find((tool) => shownName(tool) === name) ?? tools.find((tool) => tool.name === name);
}
