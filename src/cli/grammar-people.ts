/** The grammar of what people decide: outcomes that nobody knows, and calls that need approval. */
import type { Command } from "commander";
import { type Add, wholeNumber } from "./arguments.ts";

export const addUnknowns: Add = (program, io, exit) => {
  const unknowns = program
    .command("unknowns")
    .description("List tool calls of which nobody knows whether they were executed, with what is needed to find out.")
    .option("--limit <n>", "at most 1000 (default: 50)", wholeNumber(1))
    .option("--cursor <cursor>", "go on from the page before")
    .action(async (_args, command: Command) => {
      const { unknowns: list } = await import("./unknowns.ts");
      exit(await list(command.optsWithGlobals(), io));
    });
  unknowns
    .command("answer")
    .description("Say what you found out about one; a run that waits for it goes on.")
    .argument("<run>", "id of a run")
    .argument("<call>", "id of the call, such as t1c0")
    .argument("<says>", "happened, not-executed, or stop to end the run")
    .option("--by <name>", "who says so; stands in the run's history")
    .action(async (run: string, call: string, says: string, _args, command: Command) => {
      const { answer } = await import("./unknowns.ts");
      exit(await answer(run, call, says, command.optsWithGlobals(), io));
    });
};

export const addApprovals: Add = (program, io, exit) => {
  const approvals = program
    .command("approvals")
    .description("List tool calls that wait for a person's word before they are made.")
    .option("--identifier <id>", "only of runs on behalf of this user")
    .option("--content", "with the arguments: they are the user's data")
    .option("--limit <n>", "at most 1000 (default: 50)", wholeNumber(1))
    .option("--cursor <cursor>", "go on from the page before")
    .action(async (_args, command: Command) => {
      const { approvals: list } = await import("./approvals.ts");
      exit(await list(command.optsWithGlobals(), io));
    });
  approvals
    .command("approve")
    .description("Let the call be made, once; the run goes on.")
    .argument("<id>", "as the list shows it: <run>/<…>")
    .option("--by <name>", "who says so; stands in the run's history")
    .option("--args <json>", "instead of the arguments that were asked for; - reads stdin")
    .action(async (id: string, _args, command: Command) => {
      const { decide } = await import("./approvals.ts");
      exit(await decide(id, "approve", command.optsWithGlobals(), io));
    });
  approvals
    .command("deny")
    .description("Let the call not be made; the model is told so.")
    .argument("<id>", "as the list shows it: <run>/<…>")
    .option("--by <name>", "who says so; stands in the run's history")
    .option("--message <text>", "why, for the model")
    .action(async (id: string, _args, command: Command) => {
      const { decide } = await import("./approvals.ts");
      exit(await decide(id, "deny", command.optsWithGlobals(), io));
    });
};
