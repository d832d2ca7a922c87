/** Runs a child process that stops when we are asked to, and that never outlives us. */
import { once } from "node:events";
import { spawnLeashed } from "./leash.mjs";
import { codeOfSignal } from "./stop.mjs";

/** When a child that was asked to stop is asked by SIGTERM, and when it is made to. */
const HEARD_MS = 10_000;
const END_MS = 60_000;

/** Resolves to the exit code; 127 when there is no such command. `options` are those of `spawn`. */
export async function runChild(command, args, stop, options) {
  const { child, release } = spawnLeashed(command, args, options);
  const pass = () => passOn(stop.reason, child);
  stop.addEventListener("abort", pass, { once: true });
  if (stop.aborted) pass();
  try {
    const [code, signal] = await once(child, "exit");
    return code ?? codeOfSignal(signal);
  } catch (error) {
    if (error.code === "ENOENT") return 127;
    throw error;
  } finally {
    stop.removeEventListener("abort", pass);
    await release();
  }
}

/**
 * A Ctrl-C or a closed terminal reaches every process there. The same signal once more from us would look like an impatient
 * person, so we leave it at that, and only much later say it in another word. A worker may take its time to end its step.
 */
function passOn(signal, child) {
  const heard = signal !== "SIGTERM" && [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  if (!heard) child.kill(signal);
  const timers = [setTimeout(() => child.kill("SIGTERM"), HEARD_MS), setTimeout(() => child.kill("SIGKILL"), END_MS)];
  child.once("exit", () => timers.forEach((timer) => clearTimeout(timer)));
}
