/**
 * Ends what we started when we die, however we die: after kill -9 nobody else can. A tiny shell reads a pipe only we can
 * write to: a line "released" means that all is well, the end of the pipe that we are gone.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** First line: the process to end. It is asked, and made to after five seconds. */
const END_PROCESS = `
read -r pid || exit
read -r _ && exit
kill "$pid"
n=0
while kill -0 "$pid" && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
kill -9 "$pid"`;

/** Starts a process that is ended if we die before it does. `options` are those of `spawn`; `release` when it has ended. */
export function spawnLeashed(command, args, options) {
  const watch = startWatch(END_PROCESS);
  const child = spawn(command, args, options);
  if (child.pid !== undefined) watch.stdin.write(`${child.pid}\n`);
  return { child, release: () => release(watch) };
}

/** Runs the command if we die before the returned function is called. That function resolves when the watch has ended. */
export function onDeath(command, ...args) {
  const watch = startWatch('read -r _ && exit; "$@"', command, ...args);
  return () => release(watch);
}

function startWatch(script, ...args) {
  // Detached: a Ctrl-C at the terminal is not for it.
  const watch = spawn("/bin/sh", ["-c", `trap '' HUP INT TERM\nPATH=$PATH:/usr/bin:/bin\n${script}`, "sh", ...args], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watch.stdin.on("error", () => undefined); // someone ended the watch: nothing to tell it
  return watch;
}

async function release(watch) {
  if (watch.exitCode !== null || watch.signalCode !== null) return;
  const ended = once(watch, "exit");
  watch.stdin.end("released\n");
  await ended;
}
