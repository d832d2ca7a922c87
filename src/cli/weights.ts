/** `errand weigh`, `weights`: who has how many turns in each round. */
import type { WeightTarget } from "../index.ts";
import { EXIT } from "./failure.ts";
import { type GlobalArgs, type Io, jsonLine, line, painter } from "./io.ts";
import { open } from "./open.ts";
import { table } from "./table.ts";
import { oneLine } from "./units.ts";

/** @throws ErrandError `option-invalid`, `redis-…` */
export async function weigh(kind: string, name: string, weight: number, args: GlobalArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    // A wrong kind is told by Errand itself.
    const was = await errand.weigh({ [kind]: name } as unknown as WeightTarget, weight);
    const turns = weight === 1 ? "1 turn" : `${weight} turns`;
    if (args.json === true) jsonLine(io.stdout, { kind, name, weight, was });
    else line(io.stdout, `${kind} ${oneLine(name)} has ${turns} in each round (was ${was})`);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

/** @throws ErrandError `redis-…` */
export async function weights(args: GlobalArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const all = await errand.weights();
    if (args.json === true) {
      jsonLine(io.stdout, { weights: all });
      return EXIT.ok;
    }
    const head = ["WHO", "TURNS IN EACH ROUND"].map((text) => ({ text, style: "dim" as const }));
    const rows = all.map((it) => [{ text: `${it.kind} ${oneLine(it.name)}` }, { text: String(it.weight) }]);
    if (rows.length === 0) line(io.stderr, "all have one turn in each round");
    else for (const text of table([head, ...rows], painter(io.stdout))) line(io.stdout, text);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}
