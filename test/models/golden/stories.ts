/** The runs whose next request is kept as it is today, on each protocol. Small, and each about one thing. */
import { PLAIN, THINGS } from "./plain.ts";
import type { Story } from "./record.ts";
import { THOUGHTS } from "./thoughts.ts";
import { ERRORS } from "./trouble.ts";

export const STORIES: readonly Story[] = [...PLAIN, ...ERRORS, ...THINGS, ...THOUGHTS];
