/**
 * `npm run bench:projection [-- --rounds N]`: a journal becomes a request; the cost must not grow faster than the journal. CPU of this
 * process, as on a shared machine the clock tells of others. Last line: one JSON line.
 */
import { parseArgs } from "node:util";
import { measureProjections } from "./projection.ts";

const SIZES = [
  [12, 250_000],
  [50, 1_000_000],
  [100, 2_000_000],
  [200, 4_000_000],
] as const;

const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" } } });
const figures = measureProjections(SIZES, Number(values.rounds));
for (const f of figures)
  console.log(
    `${f.turns} turns, ${(f.bytes / 1e6).toFixed(2)} MB: fold ${f.fold} ms of CPU, projection ${f.first} ms at first and ${f.again} ms again, ` +
      `measured in ${f.measured} ms; body: chat ${f.chat} ms, Responses ${f.responses} ms, messages ${f.messages} ms`,
  );
const [, middle, , last] = figures;
const growth =
  middle === undefined || last === undefined
    ? 0
    : (last.fold + last.first) / (middle.fold + middle.first) / (last.bytes / middle.bytes);
console.log(`growth against the journal's, 50 to 200 turns: ${growth.toFixed(2)}`);
console.log(JSON.stringify({ bench: "projection", figures, growth }));
