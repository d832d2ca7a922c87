/** Names of options. One that we do not know is refused: misspelt, it would silently not hold, and many of them are there for safety. */
import { ErrandError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";

/** All options of T, so that the compiler wants a new one to be named where they are checked. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** What is wrong with the first that is not known; `undefined` as its value does no harm. */
export function strayOption(given: object, known: object): string | undefined {
  const stray = Object.entries(given).find(([name, value]) => value !== undefined && !Object.hasOwn(known, name))?.[0];
  const names = Object.keys(known);
  return stray === undefined
    ? undefined
    : `there is no ${JSON.stringify(stray.slice(0, 64))}.${didYouMean(stray, names)} Known: ${names.join(", ")}.`;
}

/** @throws ErrandError `option-invalid` */
export function checkOptionNames(where: string, given: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof given !== "object" || given === null)
    throw new ErrandError(
      "option-invalid",
      `${where}: expected { ${Object.keys(known).join(", ")} }, got ${given === null ? "null" : typeof given}.`,
    );
  const stray = strayOption(given, known);
  if (stray !== undefined) throw new ErrandError("option-invalid", `${where}: ${stray}`);
}
