/**
 * Runs a program of this repository on a machine that has only Node and npm: `node scripts/run.mjs file.ts [arguments]`.
 * It installs the node modules if they are missing. The command `demo` gets a Redis (see redis.mjs) in REDIS_URL; every other
 * command has its own to name. Nothing we start outlives us.
 */
import { resolve } from "node:path";
import { ROOT, ensureModules } from "./install.mjs";
import { main } from "./main.mjs";
import { runProgram } from "./program.mjs";
import { SetupError } from "./setup-error.mjs";

await main(async (stop) => {
  const [file, ...args] = process.argv.slice(2);
  if (file === undefined) throw new SetupError("Expected a file to run: node scripts/run.mjs file.ts [arguments].");
  await ensureModules(stop);
  stop.throwIfAborted();
  const redis = args[0] === "demo" && !args.includes("--help") && !args.includes("-h");
  // `npm run` goes to the root of the package; relative paths are meant from where the person stands.
  const cwd = process.env.npm_lifecycle_event === undefined ? process.cwd() : process.env.INIT_CWD;
  return runProgram([resolve(ROOT, file), ...args], stop, { cwd, redis });
});
