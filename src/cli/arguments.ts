/** Kinds of arguments, and how a command is added to the grammar. */
import { type Command, InvalidArgumentError } from "commander";
import type { Io } from "./io.ts";

/** @param exit told the exit code */
export type Add = (program: Command, io: Io, exit: (code: number) => void) => void;

export function wholeNumber(least: number = -Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number${least > -Infinity ? ` of at least ${least}` : ""}.`);
  };
}

/** Any: what it may be is said by whom it is for, and why. */
export function number(text: string): number {
  if (/^[-+]?(\d+\.?\d*|\.\d+)$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a number.");
}

export function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError("Expected a positive number of seconds.");
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90m` and the like. */
export function milliseconds(text: string): number {
  const [, number, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * (UNITS[unit] ?? 1);
  throw new InvalidArgumentError("Expected a number and s, m, h or d, such as 90m.");
}

export function amount(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError("Expected a number above 0.");
}

const MOMENT = /^(\d{4})-(\d\d)-(\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** A moment that is the same on every machine; a date alone is its midnight in UTC. Undefined: it is none. */
export function momentOf(text: string): Date | undefined {
  const [, year, month, day] = (MOMENT.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  // Date makes March of the 30th of February.
  const known = new Date(Date.UTC(year, month - 1, day));
  const date = new Date(text);
  return known.getUTCMonth() === month - 1 && known.getUTCDate() === day && !Number.isNaN(date.getTime())
    ? date
    : undefined;
}

export function moment(text: string): Date {
  const date = momentOf(text);
  if (date !== undefined) return date;
  throw new InvalidArgumentError(
    "Expected a moment with its offset from UTC, such as 2027-01-01T00:00:00Z or 2027-01-01T08:00:00+01:00.",
  );
}
