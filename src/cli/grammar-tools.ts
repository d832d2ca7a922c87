/** The grammar of `errand tools`. */
import type { Command } from "commander";
import type { Add } from "./arguments.ts";

export const addTools: Add = (program, io, exit) => {
  program
    .command("tools")
    .description("What the agents' tools do to the world, and who has reviewed it.")
    .command("classify")
    .description("List the agents' tools: effect, who says so, what has changed. Exits with 1 when one needs a review.")
    .option("--identifier <id>", "as this user's accounts offer them (default: as the environment has them)")
    .option("--agent <name>", "only tools of this agent")
    .option("--write", "write an entry to review into errand.tools.json for each tool that needs one")
    .action(async (_args, command: Command) => {
      const { classify } = await import("./tools.ts");
      exit(await classify(command.optsWithGlobals(), io));
    });
};
