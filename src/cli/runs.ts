/** `errand runs`: the runs there are, newest first. */
import type { RunFilter, RunStatus, RunSummary } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter, type Style } from "./io.ts";
import { open } from "./open.ts";
import { type Cell, table } from "./table.ts";
import { duration, oneLine } from "./units.ts";

export interface RunsArgs extends GlobalArgs {
  readonly status?: string;
  readonly agent?: string;
  readonly identifier?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

/** @throws ErrandError `option-invalid`, `redis-…` */
export async function runs(args: RunsArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const { agent, identifier, limit, cursor } = args;
    // A wrong status is told by the list itself.
    const filter: RunFilter = given({ status: args.status as RunStatus | undefined, agent, identifier, limit, cursor });
    const page = await errand.runs(filter);
    if (args.json === true) {
      jsonLine(io.stdout, page);
      return EXIT.ok;
    }
    const now = Date.now();
    const rows = page.runs.map((run) => rowOf(run, now));
    if (rows.length === 0) line(io.stderr, cursor === undefined ? "no runs" : "no more runs");
    else for (const text of table([HEAD, ...rows], painter(io.stdout))) line(io.stdout, text);
    if (page.cursor !== undefined) line(io.stderr, `more: --cursor ${page.cursor}`);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

const HEAD: readonly Cell[] = ["RUN", "STATUS", "AGENT", "IDENTIFIER", "AGE", "UPDATED"].map((text) => ({
  text,
  style: "dim",
}));

const STYLES: Readonly<Partial<Record<RunStatus, Style>>> = {
  running: "cyan",
  parked: "yellow",
  completed: "green",
  failed: "red",
  expired: "red",
};

/** Times are Redis's and `now` is ours: a clock that is ahead or behind shows as such, and never below zero. */
function rowOf({ id, status, reason, agent, identifier, createdAt, updatedAt }: RunSummary, now: number): Cell[] {
  const style = STYLES[status];
  return [
    { text: oneLine(id) },
    { text: reason === undefined ? status : `${status} (${reason})`, ...(style !== undefined && { style }) },
    { text: oneLine(agent) },
    { text: oneLine(identifier) },
    { text: duration(now - createdAt) },
    { text: `${duration(now - updatedAt)} ago` },
  ];
}
