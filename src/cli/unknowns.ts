/** `errand unknowns`: tool calls of which nobody knows whether they were executed, and the answers of those who found out. */
import type { RunHandle, UnknownOutcome } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, type Paint, painter } from "./io.ts";
import { open } from "./open.ts";
import { duration, oneLine } from "./units.ts";

export interface UnknownsArgs extends GlobalArgs {
  readonly limit?: number;
  readonly cursor?: string;
}

/** @throws ErrandError `option-invalid`, `redis-…` */
export async function unknowns({ limit, cursor, ...args }: UnknownsArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const page = await errand.unknowns(given({ limit, cursor }));
    if (args.json === true) {
      jsonLine(io.stdout, page);
      return EXIT.ok;
    }
    const paint = painter(io.stdout);
    if (page.outcomes.length === 0) line(io.stderr, cursor === undefined ? "no unknown outcomes" : "no more");
    for (const outcome of page.outcomes) for (const text of linesOf(outcome, Date.now(), paint)) line(io.stdout, text);
    if (page.outcomes.length > 0)
      line(io.stderr, "found out? errand unknowns answer <run> <call> happened|not-executed|stop");
    if (page.cursor !== undefined) line(io.stderr, `more: --cursor '${page.cursor}'`);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}

/** What is needed to find the call at the provider. Holds no arguments: `errand show <run> --content` shows those. */
function linesOf(outcome: UnknownOutcome, now: number, paint: Paint): string[] {
  const { run, call, tool, connection, account, identifier, waits, status, from, to, attempt, recordedAt } = outcome;
  const sent =
    from === undefined || to === undefined
      ? "when it was sent is lost"
      : `sent between ${moment(from)} and ${moment(to)}, attempt ${attempt ?? 1}`;
  const whose = [connection, account].filter(Boolean).join(" ");
  const stands = waits ? paint("yellow", "the run waits for an answer") : `the run is ${status}`;
  const execution = outcome.executionId === undefined ? [] : [`execution ${oneLine(outcome.executionId)}`];
  const heard = outcome.message === undefined ? [] : [`last heard: ${oneLine(outcome.message)}`];
  return [
    `${paint("bold", `${oneLine(run)} ${call}`)}  ${oneLine(tool)}  for ${oneLine(identifier)} (${oneLine(whose)})`,
    `  ${sent}; written down ${duration(now - recordedAt)} ago; ${stands}`,
    `  at Scalekit: ${[`agent run id ${oneLine(run)}:${call}`, ...execution, ...heard].join("; ")}`,
  ];
}

function moment(ms: number): string {
  return new Date(ms).toISOString();
}

type Says = Parameters<RunHandle<unknown>["answer"]>[1];

export interface AnswerArgs extends GlobalArgs {
  readonly by?: string;
}

/** @throws ErrandError `answer-invalid`, `run-unknown` */
export async function answer(run: string, call: string, says: string, args: AnswerArgs, io: Io): Promise<number> {
  const { errand } = await open(args, io, { optional: true });
  try {
    const handle = errand.run(run);
    // A wrong word is told by Errand itself.
    await handle.answer(call, says as Says, given({ by: args.by }));
    const { status } = await handle.get();
    if (args.json === true) jsonLine(io.stdout, { run, call, says, status });
    else line(io.stdout, `${run} ${call}: ${says}; the run is ${status}`);
    return EXIT.ok;
  } finally {
    await errand.close();
  }
}
