/** The end of the demo: the digests, and what each run cost and waited for. */
import type { RunView } from "../../index.ts";
import { oneLine } from "../units.ts";
import type { Digest } from "./inbox-digest.ts";

export interface Finished {
  readonly name: string;
  readonly view: RunView;
  readonly digest: Digest;
}

export function report(finished: readonly Finished[]): string {
  const texts = finished.map(({ digest }) => JSON.stringify(digest));
  const digests = [...new Set(texts)].map((text) => digestText(finished.filter((_, i) => texts[i] === text)));
  return [...digests, table(finished)].join("\n\n");
}

/** Whoever has the same mails has the same digest. */
function digestText(same: readonly Finished[]): string {
  const [first] = same;
  if (first === undefined) return "";
  const { digest } = first;
  const names = same.map(({ name }) => `${name}'s`).join(" and ");
  const lines = digest.highlights.map(
    ({ from, subject, why }) => `  • ${oneLine(subject)} — ${oneLine(from)}\n    ${oneLine(why)}`,
  );
  return [`${names} inbox: ${digest.unread} unread`, `  ${oneLine(digest.summary)}`, ...lines].join("\n");
}

function table(finished: readonly Finished[]): string {
  const rows = finished.map(({ name, view }) => [
    name,
    `${view.turns} turns`,
    `${view.toolCalls} tool calls`,
    `${(view.usage.input + view.usage.output).toLocaleString("en-US")} tokens`,
    waitText(view),
  ]);
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 || i === 4 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

function waitText({ waits, endedAt = 0, createdAt }: RunView): string {
  const took = `took ${seconds(endedAt - createdAt)}`;
  const forUser = waits.filter((wait) => wait.reason === "account");
  if (forUser.length === 0) return `${took}, waited for nobody`;
  const told = forUser.map(
    (wait) => `${seconds((wait.to ?? endedAt) - wait.from)} for ${wait.connections.join(" and ")}`,
  );
  return `${took}, of it parked ${told.join(", ")}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
