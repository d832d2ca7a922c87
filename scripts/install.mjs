/** Installs the node modules of a fresh clone. Plain JavaScript and Node's own modules only: nothing else is there yet. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { runChild } from "./child.mjs";
import { SetupError } from "./setup-error.mjs";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** npm writes it last, so a folder without it is half an install. */
const INSTALLED = `${ROOT}node_modules/.package-lock.json`;

/** Throws a SetupError when npm cannot install, or when this Node is too old to run Errand. */
export async function ensureModules(stop) {
  demandNode(process.versions.node);
  if (existsSync(INSTALLED)) return;
  console.error("Installing node modules (npm ci) …");
  if ((await npm(["ci"], stop)) === 0 || stop.aborted) return;
  console.error("npm ci did not pass; trying npm install …");
  const code = await npm(["install", "--no-save"], stop);
  if (code !== 0 && !stop.aborted)
    throw new SetupError(`npm could not install the node modules (exit code ${code}, see above).`);
}

/** Throws a SetupError when `version` is older than 20.19. */
export function demandNode(version) {
  const [major, minor] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(
    `Errand needs Node 20.19 or newer and this is ${version}: install a newer one from https://nodejs.org.`,
  );
}

function npm(args, stop) {
  const script = process.env.npm_execpath;
  const [command, ...first] =
    script !== undefined && basename(script) === "npm-cli.js" ? [process.execPath, script] : ["npm"];
  const quiet = ["--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  // Our stdout is the program's: npm's words go to stderr.
  return runChild(command, [...first, ...args, ...quiet], stop, {
    cwd: ROOT,
    env: outsideNpm(),
    stdio: ["ignore", 2, 2],
  });
}

/** Our environment without what `npm run` says about the script and the package it runs. */
function outsideNpm() {
  const inside = /^npm_(lifecycle_|package_|command$|config_local_prefix$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !inside.test(name)));
}
