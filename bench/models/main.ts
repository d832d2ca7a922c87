/** `npm run bench:models [-- --rounds N --calls N]`: what a turn costs beside the model itself. The last line is one JSON line. */
import { parseArgs } from "node:util";
import { adapterCosts } from "./adapters.ts";
import { measureProjections } from "./projection.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, calls: { type: "string", default: "100" } },
});
const adapters = await adapterCosts(Number(values.rounds), Number(values.calls));
for (const { protocol, oursMs, bareMs, ratio } of adapters)
  process.stdout.write(
    `${protocol.padEnd(10)} ${oursMs} ms of CPU for a turn, bare SDK ${bareMs} ms, ratio ${ratio}\n`,
  );
const projection = measureProjections(
  [
    [12, 250_000],
    [50, 1_000_000],
  ],
  9,
);
for (const { turns, bytes, fold, first, again } of projection)
  process.stdout.write(
    `${turns} turns, ${(bytes / 1e6).toFixed(2)} MB: fold ${fold} ms of CPU, projection ${first} ms, again ${again} ms\n`,
  );
process.stdout.write(`${JSON.stringify({ bench: "models", adapters, projection })}\n`);
