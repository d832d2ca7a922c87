/** The grammar of `errand schedules …`. What the commands do is in schedules.ts. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { milliseconds, moment, wholeNumber } from "./arguments.ts";
import type { Io } from "./io.ts";

export function addSchedules(program: Command, io: Io, exit: (code: number) => void): void {
  const does = () => import("./schedules.ts");
  const schedules = program
    .command("schedules")
    .description("List schedules by id: when they fire, in words, and next.")
    .option("--identifier <id>", "only this user's")
    .option("--agent <name>", "only of this agent")
    .option("--limit <n>", "at most 1000 (default: 50)", whole)
    .option("--cursor <cursor>", "go on from the page before")
    .action(async (_args, command: Command) => exit(await (await does()).list(command.optsWithGlobals(), io)));
  schedules
    .command("show")
    .description("One schedule: its next times, and what became of the last ones.")
    .argument("<id>")
    .option("--next <n>", "how many next times (default: 5)", whole)
    .option("--history <n>", "how many of the last times (default: 20)", whole)
    .action(async (id: string, _args, command: Command) =>
      exit(await (await does()).show(id, command.optsWithGlobals(), io)),
    );
  schedules
    .command("upsert")
    .description("Define a schedule, or change it from now on; with --file as many as there are.")
    .argument("[id]", "yours: printable ASCII without spaces and colons, such as digest/user_123")
    .argument("[agent]", "name of an agent in errand.config.ts")
    .addOption(
      new Option("--file <file>", "JSON Lines: { id, agent, identifier, cron, … } a line; - reads stdin").conflicts(
        OWN,
      ),
    )
    .option("--dry-run", "with --file: check every line, and write none")
    .addOption(new Option("--cron <fields>", 'five fields: "0 8 * * 1-5"').conflicts("every"))
    .option("--every <duration>", "such as 90m, 6h or 1d; at least 1m", milliseconds)
    .option("--timezone <name>", "IANA name, such as Europe/Berlin (default: UTC)")
    .option("--input <json>", 'of its runs; { "$tick": "since" } stands for a value of the tick (default: {})')
    .option("--input-file <file>", "JSON; - reads stdin")
    .option("--jitter <duration>", "fire up to so much later, always the same for one schedule", milliseconds)
    .option("--overlap <policy>", "skip (default), buffer-one, buffer-all, cancel-other or allow-all")
    .option("--catch-up <policy>", "none, latest (default) or all")
    .option("--catch-up-within <duration>", "how long a missed time is made up (default: 1d)", milliseconds)
    .option("--no-coalesce", "each run covers its own tick's time only")
    .option("--keep-history <n>", "lines of what became of its times (default: 20)", whole)
    .option("--start-at <date>", "no time before, such as 2027-01-01T00:00:00Z", moment)
    .option("--end-at <date>", "no time after", moment)
    .option("--paused", "define it, and let no tick fire")
    .option("--tenant <name>", "the identifier's tenant")
    .option("--priority <n>", "of its runs, -1000 (first) to 1000 (default: 0)", wholeNumber())
    .action(async (id: string | undefined, agent: string | undefined, _args, command: Command) => {
      const args = command.optsWithGlobals<{ file?: string; dryRun?: boolean; agent?: string; identifier?: string }>();
      if (args.file === undefined) {
        if (id === undefined || agent === undefined) command.error("error: expected an id and an agent, or --file");
        if (args.dryRun === true) command.error("error: --dry-run is for --file");
        return exit(await (await does()).upsert(id, agent, needsIdentifier(command), io));
      }
      if (id !== undefined || args.identifier !== undefined)
        command.error("error: with --file each line says its own id and identifier");
      const { upsertFile } = await import("./schedule-file.ts");
      return exit(await upsertFile({ ...args, file: args.file }, io));
    });
  for (const [name, says, paused] of [
    ["pause", "Let no tick fire; times pass as skipped.", true],
    ["resume", "Let ticks fire again.", false],
  ] as const)
    schedules
      .command(name)
      .description(says)
      .argument("<id...>")
      .action(async (ids: string[], _args, command: Command) =>
        exit(await (await does()).setPaused(ids, paused, command.optsWithGlobals(), io)),
      );
  schedules
    .command("trigger")
    .description("Start a run now, besides the schedule's times; prints its id.")
    .argument("<id>")
    .option("--key <key>", "the same key gives the same run")
    .action(async (id: string, _args, command: Command) =>
      exit(await (await does()).trigger(id, command.optsWithGlobals(), io)),
    );
  schedules
    .command("delete")
    .description("Delete schedules by id, or all of --identifier or --agent. Their runs go on, but with --cancel-runs.")
    .argument("[id...]")
    .option("--cancel-runs", "also cancel their runs that have not ended")
    .action(async (ids: string[], _args, command: Command) => {
      const args = command.optsWithGlobals<{ identifier?: string; agent?: string }>();
      if (ids.length > 0 === (args.identifier !== undefined || args.agent !== undefined))
        command.error("error: expected ids, or --identifier or --agent");
      exit(await (await does()).remove(ids, args, io));
    });
}

/** What each line of a file says itself. */
const OWN: string[] =
  "cron every timezone input inputFile jitter overlap catchUp catchUpWithin keepHistory startAt endAt paused tenant priority".split(
    " ",
  );

/** The list's own option, which a schedule must have. */
function needsIdentifier<T extends { readonly identifier: string }>(command: Command): T {
  const args = command.optsWithGlobals<T>();
  if (args.identifier === undefined) command.error("error: required option '--identifier <id>' not specified");
  return args;
}

function whole(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number of at least 1.");
}
