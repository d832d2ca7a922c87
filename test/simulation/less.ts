/** What changes a prompt by decision. */
import type { Decision } from "../../src/core/journal.ts";
import type { Reading } from "./reading.ts";
import type { World } from "./world.ts";

/** Another model is asked; or prompts show less from here on, and stay like that. */
export function lessIsShown(world: World, at: Reading, d: Decision): void {
  if (d.kind === "turn-failed") world.count("fallback");
  if (d.kind !== "compacted") return;
  world.count(d.summary === undefined ? "compacted" : "summed up");
  at.told.clear();
}
