/** Odd values by chance, and odd changes of honest ones: what providers were seen to send, and what nobody was. */
import { isObject } from "../../../src/core/json.ts";
import type { Dice } from "../../simulation/dice.ts";

export type Maker = (dice: Dice) => unknown;

const TEXTS = [
  "",
  " ",
  "\n",
  "Hello",
  "\ud83d",
  "a\udc00b",
  "null",
  "{}",
  "\u0000",
  "ünïcödé 😀",
  "x".repeat(300),
  "<html>",
] as const;

export function text(dice: Dice): string {
  return dice.chance(0.6) ? "Some words." : dice.pick(TEXTS);
}

/** Any JSON value at all, small. */
export function odd(dice: Dice, depth = 2): unknown {
  switch (dice.below(depth > 0 ? 9 : 7)) {
    case 0:
      return null;
    case 1:
      return dice.chance(0.5);
    case 2:
      return dice.pick([0, -1, 7, 1e300, -0.5, 1e15]);
    case 3:
    case 4:
      return text(dice);
    case 5:
      return [];
    case 6:
      return {};
    case 7:
      return Array.from({ length: dice.below(3) }, () => odd(dice, depth - 1));
    default:
      return { [dice.pick(["type", "id", "text", "__proto__", "constructor", "x"])]: odd(dice, depth - 1) };
  }
}

/** Mostly what `make` gives. */
export function mostly(dice: Dice, make: Maker): unknown {
  return dice.chance(0.97) ? make(dice) : odd(dice);
}

/** An object whose fields may be missing or odd; a field that is undefined is left out. */
export function record(dice: Dice, fields: Readonly<Record<string, Maker>>): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [key, make] of Object.entries(fields)) {
    const value = dice.chance(0.05) ? undefined : mostly(dice, make);
    if (value !== undefined) made[key] = value;
  }
  return made;
}

export function list(dice: Dice, most: number, make: Maker): unknown[] {
  return Array.from({ length: dice.below(most + 1) }, () => mostly(dice, make));
}

/** Changes a value in place, somewhere: takes something away, puts something odd in its place, or doubles it. */
export function mutate(dice: Dice, root: unknown): void {
  let at = root;
  for (let depth = 0; depth < 6; depth++) {
    const keys = Array.isArray(at) ? at.map((_, i) => i) : isObject(at) ? Object.keys(at) : [];
    const key = keys[dice.below(keys.length)];
    if (key === undefined) return;
    const holder = at as Record<string | number, unknown>;
    if (dice.chance(0.35)) {
      const before = holder[key];
      if (Array.isArray(at) && dice.chance(0.4)) at.push(before);
      else if (dice.chance(0.3)) Reflect.deleteProperty(holder, key);
      else holder[key] = odd(dice);
      return;
    }
    at = holder[key];
  }
}
