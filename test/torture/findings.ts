/** What the checks say: what is wrong, and how much there was of everything. */
import { isObject } from "../../src/core/json.ts";
import type { FinalRun } from "./recorded.ts";

/** Of facts/reliability.md §2.3. `cap`: of docs/design.md, fairness. */
export type Invariant = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I9" | "I11" | "I12" | "I13" | "cap";

export interface Problem {
  readonly invariant: Invariant;
  /** One word for what happened. */
  readonly what: string;
  readonly run: string | undefined;
  readonly text: string;
}

export interface Findings {
  readonly problem: (invariant: Invariant, what: string, run: string | undefined, text: string) => void;
  readonly count: (what: string, by?: number) => void;
}

/** The key in a run's input. */
export function keyOf({ decisions: [created] }: Pick<FinalRun, "decisions">): string {
  const input = created?.kind === "created" ? created.input : undefined;
  return isObject(input) && typeof input["key"] === "string" ? input["key"] : "";
}

export function indexed<T>(list: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const group = groups.get(by(one));
    if (group === undefined) groups.set(by(one), [one]);
    else group.push(one);
  }
  return groups;
}
