#!/usr/bin/env node
/** The `errand` command. */
import { runCli } from "./program.ts";

// `errand show … | head` closes our output: nobody is left to talk to.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const { stdin, stdout, stderr } = process;
const code = await runCli(process.argv.slice(2), { stdin, stdout, stderr });
// Whatever a config file keeps open must not keep a finished command alive; what was written must be out before.
stdout.write("", () => stderr.write("", () => process.exit(code)));
