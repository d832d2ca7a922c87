/** `npm run bench:projection`: a journal becomes a request; the cost must not grow faster than the journal. Last line: one JSON line. */
import { measureProjection } from "./projection.ts";

const SIZES = [
  [12, 250_000],
  [50, 1_000_000],
  [200, 4_000_000],
] as const;

measureProjection(50, 1_000_000, 5);
const figures = SIZES.map(([turns, bytes]) => measureProjection(turns, bytes, 15));
for (const f of figures)
  console.log(
    `${f.turns} turns, ${(f.bytes / 1e6).toFixed(2)} MB: fold ${f.fold} ms, projection ${f.first} ms at first and ${f.again} ms again, ` +
      `measured in ${f.measured} ms; body: chat ${f.chat} ms, Responses ${f.responses} ms, messages ${f.messages} ms`,
  );
const [, middle, last] = figures;
const growth =
  middle === undefined || last === undefined
    ? 0
    : (last.fold + last.first) / (middle.fold + middle.first) / (last.bytes / middle.bytes);
console.log(`growth against the journal's, 1 → 4 MB: ${growth.toFixed(2)}`);
console.log(JSON.stringify({ bench: "projection", figures, growth }));
