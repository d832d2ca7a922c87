/** `errand pause`, `resume`, `switches`: what an operator stops, and lets go on. */
import { userInfo } from "node:os";
import type { PausedSwitch, SwitchTarget } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter } from "./io.ts";
import { open } from "./open.ts";
import { table } from "./table.ts";
import { duration, oneLine } from "./units.ts";

export interface PauseArgs extends GlobalArgs {
  readonly by?: string;
  readonly why?: string;
}

/** @throws ErrandError `option-invalid`, `redis-…` */
export async function pause(kind: string, name: string, args: PauseArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    // A wrong kind is told by Errand itself.
    const isNew = await errand.pause({ [kind]: name } as unknown as SwitchTarget, {
      by: userName(),
      ...given({ by: args.by, why: args.why }),
    });
    if (args.json === true) jsonLine(io.stdout, { kind, name, paused: true, isNew });
    else
      line(
        io.stdout,
        isNew ? `${kind} ${oneLine(name)} is paused` : `${kind} ${oneLine(name)} was paused already; your note stands`,
      );
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

/** @throws ErrandError `option-invalid`, `redis-…` */
export async function resume(kind: string, name: string, args: GlobalArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const was = await errand.resume({ [kind]: name } as unknown as SwitchTarget);
    if (args.json === true) jsonLine(io.stdout, { kind, name, paused: false, was });
    else line(io.stdout, was ? `${kind} ${oneLine(name)} goes on` : `${kind} ${oneLine(name)} was not paused`);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

/** @throws ErrandError `redis-…` */
export async function switches(args: GlobalArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const all = await errand.switches();
    if (args.json === true) {
      jsonLine(io.stdout, { switches: all });
      return EXIT.ok;
    }
    const head = ["PAUSED", "SINCE", "BY", "WAITING", "WHY"].map((text) => ({ text, style: "dim" as const }));
    const rows = all.map((it) => cellsOf(it, Date.now()).map((text) => ({ text })));
    if (rows.length === 0) line(io.stderr, "nothing is paused");
    else for (const text of table([head, ...rows], painter(io.stdout))) line(io.stdout, text);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

function cellsOf({ kind, name, by = "", why = "", at, waiting }: PausedSwitch, now: number): string[] {
  return [`${kind} ${oneLine(name)}`, `${duration(now - at)} ago`, oneLine(by), String(waiting), oneLine(why)];
}

/** Whoever sits at the terminal; nobody where the system knows no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "";
  }
}
