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

export function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError("Expected a positive number of seconds.");
}

export function amount(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError("Expected a number above 0.");
}
