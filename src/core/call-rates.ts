/** How many calls of one user's tools may be made in a minute, whichever runs make them. Pure. */
import { ErrandError } from "./errors.ts";
import { LOCAL } from "./tool-use.ts";

/**
 * By connection (`gmail`), or by the source of tools that act on no account (`mcp:docs`, `kruxos`): calls on behalf of one identifier in
 * any minute. `*`: on each connection that is not named. What is not named has no limit of ours.
 */
export type CallRates = Readonly<Record<string, number>>;

const MOST = 6_000;

/** @throws ErrandError `config-invalid` */
export function checkCallRates(given: CallRates | undefined): CallRates {
  const refuse = (message: string): never => {
    throw new ErrandError("config-invalid", `createErrand: callsPerMinute: ${message}`);
  };
  if (given === undefined) return {};
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return refuse(`expected connections and their numbers, such as { gmail: 60, "*": 300 }, got ${String(given)}.`);
  for (const [name, value] of Object.entries(given)) {
    if (!/^(\*|[a-zA-Z0-9_: -]{1,400})$/.test(name))
      refuse(
        `expected names of connections, "mcp:<server>", "kruxos" or "*", got ${JSON.stringify(name.slice(0, 64))}.`,
      );
    if (!Number.isInteger(value) || value < 1 || value > MOST)
      refuse(`${name}: expected a whole number from 1 to ${MOST}, got ${String(value)}.`);
  }
  return given;
}

/** Names that are neither `*` nor one of these connections and sources of tools. */
export function unknownRates(rates: CallRates, known: readonly string[]): readonly string[] {
  return Object.keys(rates).filter((name) => name !== "*" && !known.includes(name));
}

export interface CallRate {
  /** What is counted, with the identifier. */
  readonly name: string;
  readonly most: number;
}

/** The limit that a call falls under. Tools of the app's own have none: what they call has. */
export function rateOf(rates: CallRates, connection: string, source: string | undefined): CallRate | undefined {
  const name = connection !== "" ? connection : (source ?? LOCAL);
  if (connection === "" && name === LOCAL) return undefined;
  const own = Object.hasOwn(rates, name) ? rates[name] : undefined;
  const most = own ?? (connection === "" ? undefined : rates["*"]);
  return most === undefined ? undefined : { name, most };
}
