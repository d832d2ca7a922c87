/** The grammar of the command line. What the commands do is in files of their own, loaded when they run. */
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { type Add, seconds, wholeNumber } from "./arguments.ts";
import type { DemoArgs } from "./demo-command.ts";
import { EXIT, EXIT_CODES, fail } from "./failure.ts";
import { type GlobalArgs, type Io, line } from "./io.ts";
import { addBudgets, addRaise, addReopen } from "./grammar-limits.ts";
import { addApprovals, addUnknowns } from "./grammar-people.ts";
import { addOperator } from "./grammar-operator.ts";
import { addTools } from "./grammar-tools.ts";
import type { ParkedArgs } from "./parked.ts";
import { addSchedules } from "./schedule-commands.ts";

/** @param args without node and script. @returns the exit code; never rejects */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok;
  const json = args.includes("--json");
  const program = grammar(io, json, (value) => (code = value));
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    return fail(error, { ...program.opts<GlobalArgs>(), json }, io);
  }
}

function grammar(io: Io, json: boolean, exit: (code: number) => void): Command {
  const program = new Command("errand")
    .description("Runs AI agents on behalf of your users; a run whose account is not connected parks.")
    .version(version())
    .option("--config <file>", "default: errand.config.ts (.mts, .js, .mjs) here or in a folder above")
    .option("--json", "machine-readable: results on stdout, errors on stderr")
    .option("--debug", "errors with their stack")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text) => json || line(io.stderr, `errand: ${text.trim().replace(/^error: /, "")}`),
    })
    .exitOverride()
    .addHelpText("after", `\n${EXIT_CODES}`);
  addWorker(program, io, exit);
  addEnqueue(program, io, exit);
  addShow(program, io, exit);
  addRuns(program, io, exit);
  addCancel(program, io, exit);
  addParked(program, io, exit);
  addUnknowns(program, io, exit);
  addApprovals(program, io, exit);
  addOperator(program, io, exit);
  addBudgets(program, io, exit);
  addRaise(program, io, exit);
  addReopen(program, io, exit);
  addConnect(program, io, exit);
  addDoctor(program, io, exit);
  addTools(program, io, exit);
  addSchedules(program, io, exit);
  addDemo(program, io, exit);
  return program;
}

const addWorker: Add = (program, io, exit) => {
  program
    .command("worker")
    .description("Work runs until SIGTERM or SIGINT, then hand them over and end. Logs JSON lines to stderr.")
    .option("--concurrency <n>", "runs at once, per queue (default: 50)", wholeNumber(1))
    .option("--queue <name...>", "serve only these queues (default: those of the agents)")
    .action(async (_args, command: Command) => {
      const { work } = await import("./worker.ts");
      exit(await work(command.optsWithGlobals(), io));
    });
};

const addEnqueue: Add = (program, io, exit) => {
  program
    .command("enqueue")
    .description("Start a run; prints its id.")
    .argument("<agent>", "name of an agent in errand.config.ts")
    .requiredOption("--identifier <id>", "your app's id of the user on whose behalf it acts")
    .option("--input <json>", "- reads stdin (default: {})")
    .addOption(new Option("--input-file <file>", "JSON; - reads stdin").conflicts("input"))
    .addOption(
      new Option("--prompt <text>", 'for agents whose input is { "prompt": "…" }').conflicts(["input", "inputFile"]),
    )
    .option("--key <key>", "idempotency key: the same key and input give the same run")
    .option("--priority <n>", "-1000 to 1000 among the runs of this identifier, lower first", wholeNumber())
    .option("--tenant <name>", "the identifier's tenant")
    .option("--queue <name>", "instead of the agent's own")
    .option(
      "--coalesce <policy>",
      "while a run of this agent and user waits for an account: all (default), latest or skip",
    )
    .option("--wait", "wait for the end and print the result")
    .option("--timeout <seconds>", "with --wait: how long; the run goes on", seconds)
    .action(async (agent: string, args: { wait?: boolean; timeout?: number }, command: Command) => {
      if (args.timeout !== undefined && args.wait !== true) command.error("error: --timeout needs --wait");
      const { enqueue } = await import("./enqueue.ts");
      exit(await enqueue(agent, command.optsWithGlobals(), io));
    });
};

const addShow: Add = (program, io, exit) => {
  program
    .command("show")
    .description("Show what happened to a run: turns, tool calls, waits.")
    .argument("<run>", "id of a run")
    .option("--follow", "go on until it ends")
    .option("--content", "with what the model saw and said, and the result; without, sizes only")
    .addOption(
      new Option("--result <call>", "only what this tool call answered (such as t1c0), whole, as JSON").conflicts([
        "follow",
        "content",
      ]),
    )
    .action(async (run: string, { result }: { result?: string }, command: Command) => {
      if (result !== undefined) {
        const { printResult } = await import("./result.ts");
        return exit(await printResult(run, { ...command.optsWithGlobals(), result }, io));
      }
      const { show } = await import("./show.ts");
      exit(await show(run, command.optsWithGlobals(), io));
    });
};

const addRuns: Add = (program, io, exit) => {
  program
    .command("runs")
    .description("List runs, newest first.")
    .option("--status <status>", "queued, running, parked, completed, failed, cancelled or expired")
    .option("--agent <name>", "only runs of this agent")
    .option("--identifier <id>", "only runs on behalf of this user")
    .option("--limit <n>", "at most 1000 (default: 50)", wholeNumber(1))
    .option("--cursor <cursor>", "go on from the page before")
    .action(async (_args, command: Command) => {
      const { runs } = await import("./runs.ts");
      exit(await runs(command.optsWithGlobals(), io));
    });
};

const addCancel: Add = (program, io, exit) => {
  program
    .command("cancel")
    .description("End runs, wherever they stand.")
    .argument("<run...>", "ids of runs")
    .action(async (ids: string[], _args, command: Command) => {
      const { cancel } = await import("./cancel.ts");
      exit(await cancel(ids, command.optsWithGlobals(), io));
    });
};

const addParked: Add = (program, io, exit) => {
  program
    .command("parked")
    .description(
      "List the accounts that runs wait for: whose, why, since when. Or act on all of them that the filter names.",
    )
    .option("--identifier <id>", "only this user's")
    .option("--connection <name>", "only accounts of this connection")
    .option("--limit <n>", "of the list: at most 1000 (default: 50)", wholeNumber(1))
    .option("--cursor <cursor>", "of the list: go on from the page before")
    .addOption(
      new Option("--check", "look at the accounts now; runs go on if they are ACTIVE").conflicts(["remind", "cancel"]),
    )
    .addOption(new Option("--remind", "tell the users again what they have to do").conflicts("cancel"))
    .option("--cancel", "end the runs; needs --identifier or --connection, and --yes")
    .option("--yes", "with --cancel: do it")
    .action(async (args: ParkedArgs, command: Command) => {
      const acts = args.check === true || args.remind === true || args.cancel === true;
      if (acts && (args.limit !== undefined || args.cursor !== undefined))
        command.error("error: --limit and --cursor are for the list; what acts goes through all pages");
      if (args.yes === true && args.cancel !== true) command.error("error: --yes needs --cancel");
      if (args.cancel === true && args.identifier === undefined && args.connection === undefined)
        command.error("error: --cancel needs --identifier, --connection or both");
      const { parked } = await import("./parked.ts");
      exit(await parked(command.optsWithGlobals(), io));
    });
};

const addConnect: Add = (program, io, exit) => {
  program
    .command("connect")
    .description("Connect an account for a user, in a browser on this machine; wakes the runs that wait for it.")
    .argument("<connection>", "name of a Scalekit connection")
    .requiredOption("--identifier <id>", "your app's id of the user whose account it becomes")
    .option("--again", "also when the account is ACTIVE")
    .option("--timeout <seconds>", "how long to wait (default: until Ctrl-C)", seconds)
    .action(async (connection: string, _args, command: Command) => {
      const { connect } = await import("./connect.ts");
      exit(await connect(connection, command.optsWithGlobals(), io));
    });
};

const addDoctor: Add = (program, io, exit) => {
  program
    .command("doctor")
    .description("Check the set-up: config, Redis, Scalekit, models. Exits with 1 when a check failed.")
    .option("--live", "also what only the real services can answer; makes one tiny model request per model")
    .option("--identifier <id>", "with --live: also what Scalekit tells of this user's accounts")
    .action(async (args: { live?: boolean; identifier?: string }, command: Command) => {
      if (args.identifier !== undefined && args.live !== true) command.error("error: --identifier needs --live");
      const { examine } = await import("./doctor.ts");
      exit(await examine(command.optsWithGlobals(), io));
    });
};

const addDemo: Add = (program, io, exit) => {
  program
    .command("demo")
    .description("Watch three users' inbox digests, two of whom must connect first. Needs a Redis (REDIS_URL).")
    .addOption(new Option("--mbox <file>", "digest this mailbox (mbox format)").conflicts("live"))
    .option("--live", "one user's digest with the real Scalekit and a real model (SCALEKIT_*, OPENAI_*, ERRAND_MODEL)")
    .option("--identifier <id>", "with --live: the user (default: demo-user)")
    .option("--connection <name>", "with --live: a Gmail connection (default: gmail)")
    .action(async (args: DemoArgs, command: Command) => {
      for (const name of ["identifier", "connection"] as const)
        if (args[name] !== undefined && args.live !== true) command.error(`error: --${name} needs --live`);
      const { runDemo } = await import("./demo-command.ts");
      exit(await runDemo(args, io));
    });
};

/** src/cli and dist/cli are equally deep. */
function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
}
