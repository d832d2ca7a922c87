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
