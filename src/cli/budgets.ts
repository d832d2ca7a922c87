/** `errand budgets`: what a user or a tenant has used today; and more of it. `errand raise`: more for one run. `errand reopen`. */
import type { BudgetUse, BudgetView, Limits } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter } from "./io.ts";
import { open } from "./open.ts";
import { type Cell, table } from "./table.ts";
import { dollars, duration } from "./units.ts";

export interface BudgetsArgs extends GlobalArgs {
  readonly identifier?: string;
  readonly tenant?: string;
  readonly tokens?: number;
  readonly cost?: number;
  readonly turns?: number;
  readonly toolCalls?: number;
  readonly minutes?: number;
  readonly resultChars?: number;
}

/** @throws ErrandError `option-invalid`, `redis-…` */
export async function budgets(asked: BudgetsArgs, io: Io): Promise<number> {
  const { identifier, tenant, tokens, cost, turns, toolCalls, minutes, resultChars, ...args } = asked;
  const { errand } = await open(args, io, { optional: true });
  try {
    const owner = given({ identifier, tenant });
    const activeMs = minutes === undefined ? undefined : Math.round(minutes * 60_000);
    const more = given({ tokens, costUsd: cost, turns, toolCalls, activeMs, resultChars });
    if (Object.keys(more).length > 0) await errand.raiseBudget(owner, more);
    const view = await errand.budget(owner);
    if (args.json === true) jsonLine(io.stdout, view);
    else showBudget(view, io);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

function showBudget({ owner, day, endsAt, tokens, costUsd, runs, counts }: BudgetView, io: Io): void {
  const whose = owner.identifier ?? owner.tenant ?? "";
  line(io.stdout, `${whose} on ${day}, which ends in ${duration(endsAt - Date.now())}`);
  const plain = (n: number): string => n.toLocaleString("en-US");
  const rows = [
    row("tokens", tokens, plain),
    row("money", costUsd, dollars),
    row("runs", { ...runs, reserved: 0 }, plain),
    ...COUNTS.flatMap(([name, count, told]) => {
      const use = counts[count];
      return use === undefined ? [] : [row(name, { ...use, reserved: 0 }, told ?? plain)];
    }),
  ];
  for (const text of table([HEAD, ...rows], painter(io.stdout))) line(io.stdout, text);
}

const COUNTS: readonly (readonly [string, keyof BudgetView["counts"], ((n: number) => string)?])[] = [
  ["turns", "turns"],
  ["tool calls", "toolCalls"],
  ["workers' time", "activeMs", duration],
  ["result characters", "resultChars"],
];

const HEAD: readonly Cell[] = ["", "USED", "RESERVED", "LIMIT"].map((text) => ({ text, style: "dim" }));

function row(name: string, { used, reserved, limit }: BudgetUse, told: (n: number) => string): readonly Cell[] {
  const style = limit !== undefined && used + reserved >= limit ? "red" : "reset";
  const texts = [name, told(used), told(reserved), limit === undefined ? "none" : told(limit)];
  return texts.map((text) => ({ text, style }));
}

export interface RaiseArgs extends GlobalArgs {
  readonly turns?: number;
  readonly toolCalls?: number;
  readonly tokens?: number;
  readonly cost?: number;
  readonly minutes?: number;
  readonly by?: string;
}

/** @throws ErrandError `run-unknown`, `run-busy`, `option-invalid`, `redis-…` */
export async function raise(run: string, raised: RaiseArgs, io: Io): Promise<number> {
  const { turns, toolCalls, tokens, cost, minutes, by, ...args } = raised;
  const { errand } = await open(args, io, { optional: true });
  try {
    const activeMs = minutes === undefined ? undefined : Math.round(minutes * 60_000);
    const limits: Partial<Limits> = given({ turns, toolCalls, tokens, costUsd: cost, activeMs });
    await errand.run(run).raise(limits, given({ by }));
    if (args.json === true) jsonLine(io.stdout, { run, limits });
    else line(io.stdout, "raised; the run goes on");
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

/** @throws ErrandError `redis-…` */
export async function reopen(profile: string, args: GlobalArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const reopened = await errand.reopen(profile);
    if (args.json === true) jsonLine(io.stdout, { profile, reopened });
    else line(io.stdout, reopened ? "reopened; its runs go on" : "it was open");
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}
