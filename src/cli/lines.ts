/** `errand lines`: who waits for a slot, and what keeps them. */
import type { WaitingLine, WaitingLines } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter } from "./io.ts";
import { open } from "./open.ts";
import { type Cell, table } from "./table.ts";
import { oneLine } from "./units.ts";

export interface LinesArgs extends GlobalArgs {
  readonly identifier?: string;
  readonly tenant?: string;
  readonly limit?: number;
}

/** @throws ErrandError `option-invalid`, `identifier-invalid`, `redis-…` */
export async function lines(args: LinesArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const { identifier, tenant, limit } = args;
    const found = await errand.lines(given({ identifier, tenant, limit }));
    if (args.json === true) {
      jsonLine(io.stdout, found);
      return EXIT.ok;
    }
    if (found.lines.length === 0) line(io.stderr, "nobody waits for a slot");
    else for (const text of table([HEAD, ...found.lines.map(rowOf)], painter(io.stdout))) line(io.stdout, text);
    line(io.stderr, summary(found));
    if (found.more) line(io.stderr, "more: --limit, --identifier, --tenant");
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

const HEAD: readonly Cell[] = ["IDENTIFIER", "TENANT", "AGENT", "QUEUE", "WAITING", "LIVE", "KEPT BY"].map((text) => ({
  text,
  style: "dim",
}));

function rowOf(found: WaitingLine): Cell[] {
  const { identifier, tenant = "", agent, queue, waiting, live, weight, tenantWeight, keptBy } = found;
  const turns = (of: number | undefined): string => (of === undefined ? "" : ` ×${of}`);
  const kept: Cell =
    keptBy === undefined ? { text: "its turn comes" } : { text: keptBy, style: keptBy === "paused" ? "yellow" : "dim" };
  return [
    { text: oneLine(identifier) + turns(weight) },
    { text: oneLine(tenant) + turns(tenantWeight) },
    { text: agent === undefined ? "(to end)" : oneLine(agent) },
    { text: oneLine(queue) },
    { text: String(waiting) },
    { text: String(live) },
    kept,
  ];
}

function summary({ waiting, live, caps }: WaitingLines): string {
  const { perIdentifier, perTenant, maxLive, agents } = caps;
  const own = Object.entries(agents).map(([name, cap]) => `${oneLine(name)} ${cap}`);
  const each = [
    `${perIdentifier} per identifier`,
    ...(perTenant === undefined ? [] : [`${perTenant} per tenant`]),
    ...(maxLive === undefined ? [] : [`${maxLive} in all`]),
    ...(own.length === 0 ? [] : [`agents: ${own.join(", ")}`]),
  ];
  return `${waiting} waiting, ${live} live; caps: ${each.join(", ")}`;
}
