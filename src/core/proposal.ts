/** What the name and the definition of a tool let one guess of its effect. Only proposed to a person; in doubt `unsafe`. */
import type { Effect } from "./effects.ts";
import { isObject } from "./json.ts";
import type { JsonSchema } from "./schema.ts";

export interface Proposal {
  readonly effect: Effect;
  /** Why, in one clause. */
  readonly reason: string;
}

/** A tool as its server describes it. */
export interface SeenTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  /** sha256 of the three: what a reviewer has seen. */
  readonly hash: string;
  /** The words of its name that say what it does, in lower case; default all but the first, which is a connector's. */
  readonly words?: readonly string[];
}

// Not `query`, `check`, `export`: a query may be SQL, a check may be started, an export may be a job.
const READS = words("get list search fetch find lookup describe count");
/** As the last word they say what state is set: `mark_read`. */
const READS_IF_FIRST = words("read");
const WRITES = words(`
  add append apply approve archive assign ban bulk cancel clear clone close commit complete convert copy create decline delete deploy
  disable dismiss download duplicate edit empty enable execute export forward generate grant hide import insert install invite invoke
  join kick launch leave lock mark merge modify move mute notify open pause pay post publish purge push put react refund register
  reject release remove rename reopen replace reply reset resolve restore resume retry revoke rotate run save send set snooze start
  stop submit subscribe suspend sync transfer trash trigger unarchive unassign unban unblock unlock unmute unpin unpublish unstar
  unsubscribe untrash update upload upsert write`);
/** In a name these may be things: `get_order`. */
const WRITES_IF_FIRST = words("batch block book charge order pin queue request schedule share sign star tag");
/** They set a state, or take away what may be gone already. */
const SETTLES = words("archive delete lock mute pin star trash unarchive unlock unmute unpin unstar untrash");

export function propose({ name, description, parameters, words: given }: SeenTool): Proposal {
  const said =
    given ??
    name
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .slice(1);
  const [first = ""] = said;
  const reads = READS_IF_FIRST.has(first) ? first : [first, said.at(-1) ?? ""].find((word) => READS.has(word));
  const writes = said.find((word) => WRITES.has(word)) ?? writingWord(description);
  if (reads !== undefined)
    return writes === undefined
      ? { effect: "read", reason: `its name says "${reads}"` }
      : { effect: "unsafe", reason: `its name says "${reads}", but there is "${writes}" as well` };
  if (SETTLES.has(first) && onlyIds(parameters))
    return { effect: "idempotent", reason: `its name says "${first}", and it needs nothing but ids` };
  const reason = writes === undefined ? "nothing says what it does" : `"${writes}" may happen twice`;
  return { effect: "unsafe", reason };
}

/** `Creates …`, `Get or create …`: what a description begins with. */
function writingWord(description: string): string | undefined {
  const begin = description
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== "")
    .slice(0, 4)
    .map((word) => [word, word.replace(/s$/, ""), word.replace(/es$/, "")]);
  return begin.flatMap((forms, at) =>
    forms.filter((word) => WRITES.has(word) || (at === 0 && WRITES_IF_FIRST.has(word))),
  )[0];
}

/** A row or a position is no id: after a deletion it is another's. */
function onlyIds(parameters: JsonSchema): boolean {
  const { properties, required } = parameters;
  const needed: readonly unknown[] = Array.isArray(required) ? required : [];
  const all = isObject(properties) ? Object.keys(properties) : [];
  return (
    needed.length > 0 &&
    needed.every((name) => typeof name === "string" && /(^|_)ids?$|Ids?$/.test(name)) &&
    !all.some((name) => /row|column|index|position|range|offset|start/i.test(name))
  );
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
