/** The grammar of limits: what was used, and more of it. */
import type { Command } from "commander";
import { type Add, amount, wholeNumber } from "./arguments.ts";

export const addBudgets: Add = (program, io, exit) => {
  program
    .command("budgets")
    .description(
      "Show what a user or a tenant has used today. With --tokens, --cost and so on: give more for the rest of the day.",
    )
    .option("--identifier <id>", "of this user")
    .option("--tenant <name>", "of this tenant")
    .option("--tokens <n>", "give so many tokens more; runs that wait go on", wholeNumber(1))
    .option("--cost <usd>", "give so many US dollars more; runs that wait go on", amount)
    .option("--turns <n>", "give so many model answers more", wholeNumber(1))
    .option("--tool-calls <n>", "give so many tool calls more", wholeNumber(1))
    .option("--minutes <n>", "give so many minutes of workers more", amount)
    .option("--result-chars <n>", "give so many characters of results more", wholeNumber(1))
    .action(async (_args, command: Command) => {
      const { budgets } = await import("./budgets.ts");
      exit(await budgets(command.optsWithGlobals(), io));
    });
};

export const addRaise: Add = (program, io, exit) => {
  program
    .command("raise")
    .description("Raise limits of one run; if it waits at one of them, it goes on.")
    .argument("<run>", "id of a run")
    .option("--turns <n>", "model answers", wholeNumber(1))
    .option("--tool-calls <n>", "tool calls", wholeNumber(1))
    .option("--tokens <n>", "tokens of all its model calls", wholeNumber(1))
    .option("--cost <usd>", "US dollars of all its model calls", amount)
    .option("--minutes <n>", "minutes that workers spend on it", amount)
    .option("--by <name>", "who says so; stands in the run's history")
    .action(async (run: string, _args, command: Command) => {
      const { raise } = await import("./budgets.ts");
      exit(await raise(run, command.optsWithGlobals(), io));
    });
};

export const addReopen: Add = (program, io, exit) => {
  program
    .command("reopen")
    .description("Say that a model profile works again: the bill is paid, the key is right. Its runs go on now.")
    .argument("<profile>", "as in the models of errand.config.ts")
    .action(async (profile: string, _args, command: Command) => {
      const { reopen } = await import("./budgets.ts");
      exit(await reopen(profile, command.optsWithGlobals(), io));
    });
};
