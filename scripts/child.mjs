/** Runs a child process that stops when we are asked to, and that never outlives us. */
import { once } from "node:events";
import { spawnLeashed } from "./leash.mjs";
import { codeOfSignal } from "./stop.mjs";

const TERMINAL_GRACE_MS = 1_000;
const END_GRACE_MS = 10_000;

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
 * person, so we wait, and then say it in another word.
 */
function passOn(signal, child) {
  const heard = signal !== "SIGTERM" && [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  if (!heard) child.kill(signal);
  const again = setTimeout(() => child.kill("SIGTERM"), TERMINAL_GRACE_MS);
  const force = setTimeout(() => child.kill("SIGKILL"), END_GRACE_MS);
  if (!heard) clearTimeout(again);
  child.once("exit", () => {
    clearTimeout(again);
    clearTimeout(force);
  });
}
