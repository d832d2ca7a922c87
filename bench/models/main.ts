/** `npm run bench:models [-- --rounds N --calls N]`: what a turn costs beside the model itself. The last line is one JSON line. */
import { parseArgs } from "node:util";
import { adapterCosts } from "./adapters.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, calls: { type: "string", default: "100" } },
});
const adapters = await adapterCosts(Number(values.rounds), Number(values.calls));
for (const { protocol, oursMs, bareMs, ratio } of adapters)
  process.stdout.write(
    `${protocol.padEnd(10)} ${oursMs} ms of CPU for a turn, bare SDK ${bareMs} ms, ratio ${ratio}\n`,
  );
process.stdout.write(`${JSON.stringify({ bench: "models", adapters })}\n`);
