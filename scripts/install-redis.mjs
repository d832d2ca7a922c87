/**
 * Installs a Redis on Debian and Ubuntu: redis-tools, not redis-server. It holds the same binary (as redis-check-rdb) and
 * enables no system daemon. Unasked where there is nobody to ask; a person at a terminal is asked first.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { hasTerminal } from "./stop.mjs";

const PACKAGE = "redis-tools";

/** → whether it was installed. Nothing happens without apt-get, without the right to use it, or after a no. */
export async function installRedis(stop) {
  if (!passes("apt-get", "--version")) return false;
  const asRoot = await rightToInstall(stop);
  if (asRoot === undefined) return false;
  console.error(`Installing ${PACKAGE} (apt-get) …`);
  const install = ["install", "--yes", "--no-install-recommends", PACKAGE];
  const first = await aptGet(asRoot, install);
  if (first.code === 0) return true;
  // A fresh machine has no package lists yet.
  const update = await aptGet(asRoot, ["update"]);
  const second = await aptGet(asRoot, install);
  if (second.code !== 0) console.error(`${update.code === 0 ? "" : update.words}${second.words}`.trimEnd());
  return second.code === 0;
}

/** The words to put before a command that needs root, or undefined when we may not. */
async function rightToInstall(stop) {
  const root = process.getuid?.() === 0;
  if (!hasTerminal()) {
    if (root) return [];
    return passes("sudo", "-n", "true") ? ["sudo", "-n"] : undefined;
  }
  const words = root ? [] : ["sudo"];
  const question = `Errand needs a Redis and found none. Install ${PACKAGE} with ${[...words, "apt-get"].join(" ")}? [Y/n] `;
  return (await agrees(question, stop)) ? words : undefined;
}

async function agrees(question, stop) {
  // Not in raw mode, where a Ctrl-C would be a character and no signal.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const closed = once(lines, "close").then(() => "no");
  try {
    const answer = await Promise.race([lines.question(question, { signal: stop }), closed]);
    return /^(y|yes|)$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

/** Not on our leash: a package manager that is ended half-way leaves the machine half-configured. */
async function aptGet(asRoot, args) {
  const [command, ...rest] = [
    ...asRoot,
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-o",
    "DPkg::Lock::Timeout=60",
    ...args,
  ];
  const child = spawn(command, rest, { stdio: ["inherit", "ignore", "pipe"] });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (part) => (words += part));
  const [code] = await once(child, "close");
  return { code, words };
}

function passes(command, ...args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
