/** The grammar of `errand tools`. */
import { type Command, Option } from "commander";
import { type Add, seconds } from "./arguments.ts";

const AS_OFFERED = "as this user's accounts offer them (default: as the code says)";

export const addTools: Add = (program, io, exit) => {
  const tools = program
    .command("tools")
    .description("The agents' tools: where they come from, what they do to the world, who has reviewed it.");
  tools
    .command("list")
    .description("List the agents' tools. With --identifier exits with 1 when one is missing or has changed.")
    .option("--identifier <id>", AS_OFFERED)
    .option("--agent <name>", "only tools of this agent")
    .action(async (_args, command: Command) => {
      const { list } = await import("./tool-list.ts");
      exit(await list(command.optsWithGlobals(), io));
    });
  tools
    .command("show")
    .description("Show one tool with its definition.")
    .argument("<name>", "name of a tool")
    .option("--identifier <id>", AS_OFFERED)
    .option("--agent <name>", "only among tools of this agent")
    .action(async (name: string, _args, command: Command) => {
      const { show } = await import("./tool-list.ts");
      exit(await show(name, command.optsWithGlobals(), io));
    });
  tools
    .command("run")
    .description("Call one tool once, without a run. Needs --yes for whatever does not only read.")
    .argument("<name>", "name of a tool")
    .requiredOption("--identifier <id>", "your app's id of the user on whose behalf it is called")
    .option("--agent <name>", "as this agent uses it")
    .option("--input <json>", "its arguments; - reads stdin (default: {})")
    .addOption(new Option("--input-file <file>", "JSON; - reads stdin").conflicts("input"))
    .option("--yes", "also a tool that may change something")
    .option("--timeout <seconds>", "how long it may take (default: its own)", seconds)
    .action(async (name: string, _args, command: Command) => {
      const { run } = await import("./tool-run.ts");
      exit(await run(name, command.optsWithGlobals(), io));
    });
  tools
    .command("lint")
    .description("What makes the tools that the code defines hard to use or easy to misuse. Exits with 1 on an error.")
    .option("--identifier <id>", "also the tools that MCP servers and KruxOS offer this user")
    .option("--agent <name>", "only tools of this agent")
    .action(async (_args, command: Command) => {
      const { lint } = await import("./tool-list.ts");
      exit(await lint(command.optsWithGlobals(), io));
    });
  tools
    .command("classify")
    .description("List the agents' tools: effect, who says so, what has changed. Exits with 1 when one needs a review.")
    .option(
      "--identifier <id>",
      "as this user's accounts and servers offer them (default: as the environment has them)",
    )
    .option("--agent <name>", "only tools of this agent")
    .option("--write", "write an entry to review into errand.tools.json for each tool that needs one")
    .action(async (_args, command: Command) => {
      const { classify } = await import("./tools.ts");
      exit(await classify(command.optsWithGlobals(), io));
    });
};
