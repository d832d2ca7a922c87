/** The grammar of what an operator does about the whole of it: who waits, what is stopped. */
import type { Command } from "commander";
import { type Add, number, wholeNumber } from "./arguments.ts";

const TARGETS = "agent, identifier, tenant, connection or tool";

export const addOperator: Add = (program, io, exit) => {
  program
    .command("lines")
    .description("List who waits for a slot, in the order of their turns, and what keeps them.")
    .option("--identifier <id>", "only this user's")
    .option("--tenant <name>", "only this tenant's")
    .option("--limit <n>", "lines, at most 1000 (default: 50)", wholeNumber(1))
    .action(async (_args, command: Command) => {
      const { lines } = await import("./lines.ts");
      exit(await lines(command.optsWithGlobals(), io));
    });
  program
    .command("weigh")
    .description(
      "Give a tenant or an identifier so many turns in each round, where caps make them take turns; others have 1.",
    )
    .argument("<kind>", "tenant or identifier")
    .argument("<name>", "its name")
    .argument("<weight>", "1 to 100", number)
    .action(async (kind: string, name: string, weight: number, _args, command: Command) => {
      const { weigh } = await import("./weights.ts");
      exit(await weigh(kind, name, weight, command.optsWithGlobals(), io));
    });
  program
    .command("weights")
    .description("List who has more than one turn in each round.")
    .action(async (_args, command: Command) => {
      const { weights } = await import("./weights.ts");
      exit(await weights(command.optsWithGlobals(), io));
    });
  program
    .command("pause")
    .description("Stop something in all workers, at once; what is under way is let finish. It holds until resume.")
    .argument("<kind>", TARGETS)
    .argument("<name>", "its name")
    .option("--why <text>", "for whoever finds it stopped")
    .option("--by <name>", "who stops it (default: your user name)")
    .action(async (kind: string, name: string, _args, command: Command) => {
      const { pause } = await import("./switches.ts");
      exit(await pause(kind, name, command.optsWithGlobals(), io));
    });
  program
    .command("resume")
    .description("Let it go on, with all that waited.")
    .argument("<kind>", TARGETS)
    .argument("<name>", "its name")
    .action(async (kind: string, name: string, _args, command: Command) => {
      const { resume } = await import("./switches.ts");
      exit(await resume(kind, name, command.optsWithGlobals(), io));
    });
  program
    .command("switches")
    .description("List what is paused: since when, by whom, why.")
    .action(async (_args, command: Command) => {
      const { switches } = await import("./switches.ts");
      exit(await switches(command.optsWithGlobals(), io));
    });
};
