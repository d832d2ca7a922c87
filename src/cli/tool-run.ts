/** `errand tools run`: one call of one tool, for one user. */
import { runTool } from "../index.ts";
import { EXIT } from "./failure.ts";
import { type InputArgs, readInput } from "./input.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, painter } from "./io.ts";
import { watchSignals } from "./signals.ts";
import { duration, oneLine } from "./units.ts";

export interface RunArgs extends GlobalArgs, InputArgs {
  readonly identifier: string;
  readonly agent?: string;
  readonly yes?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

/** @returns 1 when the tool did not succeed. @throws what `runTool` throws */
export async function run(name: string, args: RunArgs, io: Io): Promise<number> {
  const { config: file, identifier, agent, yes, timeout } = args;
  const input = await readInput(args, io.stdin);
  const stop = watchSignals();
  try {
    const timeoutMs = timeout === undefined ? undefined : Math.round(timeout * 1_000);
    const where = given({ file, agent, cwd: io.cwd, env: io.env, mayChange: yes, timeoutMs, signal: stop.signal });
    const done = await runTool(name, { ...where, identifier, input });
    if (args.json === true) jsonLine(io.stdout, done);
    else if (done.outcome === "ok") line(io.stdout, JSON.stringify(done.data, null, 2));
    else {
      const why = done.why === undefined ? "" : ` (${oneLine(done.why)})`;
      line(io.stderr, `${painter(io.stderr)("red", done.outcome)}${why}: ${oneLine(done.message)}`);
    }
    if (args.json !== true) line(io.stderr, `${oneLine(name)}: ${done.outcome} after ${duration(done.tookMs)}`);
    return done.outcome === "ok" ? EXIT.ok : EXIT.error;
  } finally {
    stop.close();
  }
}
