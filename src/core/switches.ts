/** Stop switches: what an operator can stop, and where runs wait that meet one. */
import { ErrandError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import type { RunState } from "./state.ts";

export const SWITCH_KINDS = ["agent", "identifier", "tenant", "connection", "tool"] as const;
export type SwitchKind = (typeof SWITCH_KINDS)[number];

/** What to stop: one of these. */
export type SwitchTarget = { readonly [K in SwitchKind]: { readonly [P in K]: string } }[SwitchKind];

export interface Switched {
  readonly kind: SwitchKind;
  readonly name: string;
}

/** What the app knows, so that a slip of the pen at night does not stop nothing. An empty list: nobody knows. */
export type KnownTargets = Readonly<Partial<Record<SwitchKind, readonly string[]>>>;

/** @throws ErrandError `option-invalid` */
export function switchOf(where: string, target: SwitchTarget, known: KnownTargets = {}): Switched {
  const refuse = (text: string): never => {
    throw new ErrandError("option-invalid", `${where}: ${text}`);
  };
  const given = typeof target === "object" && target !== null ? Object.entries(target) : [];
  const [kind, name] = given[0] ?? [];
  if (given.length !== 1 || !SWITCH_KINDS.includes(kind as SwitchKind))
    return refuse(
      `expected one of { ${SWITCH_KINDS.join(", ")} }, such as { agent: "digest" }, got ${JSON.stringify(target) ?? typeof target}.`,
    );
  if (typeof name !== "string" || !/^[\x21-\x7e]{1,200}$/.test(name))
    return refuse(
      `${String(kind)}: expected a name of 1 to 200 printable ASCII characters without spaces, got ${JSON.stringify(name) ?? typeof name}.`,
    );
  const names = known[kind as SwitchKind] ?? [];
  if (names.length > 0 && !names.includes(name))
    return refuse(
      `there is no ${String(kind)} ${JSON.stringify(name)} among those of the agents.${didYouMean(name, names)}`,
    );
  return { kind: kind as SwitchKind, name };
}

/** As it stands in the store: `agent:digest`. */
export function switchName({ kind, name }: Switched): string {
  return `${kind}:${name}`;
}

export function parseSwitch(text: string): Switched | undefined {
  const at = text.indexOf(":");
  const kind = SWITCH_KINDS.find((it) => it === text.slice(0, at));
  return kind === undefined ? undefined : { kind, name: text.slice(at + 1) };
}

/** Where runs wait that have met it. */
export function switchGate(name: string): string {
  return `switch/${name}`;
}

/** Redis ms of the first of the series of waits at switches since which nothing else was done; nothing if it did not wait there. */
export function pausedSince(state: RunState): number | undefined {
  const done = Math.max(
    state.turns.at(-1)?.at ?? 0,
    ...Object.values(state.evidence).map(({ at }) => at),
    state.parks.findLast(({ reason }) => reason !== "paused")?.at ?? 0,
  );
  return state.parks.find(({ reason, at }) => reason === "paused" && at >= done)?.at;
}
