/** The frame of our commands: stop when asked to, tell a SetupError in one line, end with the right code. */
import { SetupError } from "./setup-error.mjs";
import { codeOfSignal, watchForStop } from "./stop.mjs";

/** Runs `command(stop)`, which resolves to an exit code, and ends this process. */
export async function main(command) {
  const stop = watchForStop();
  process.exit(await command(stop).catch((error) => failed(error, stop)));
}

function failed(error, stop) {
  if (stop.aborted) return codeOfSignal(stop.reason);
  console.error(error instanceof SetupError ? `errand: ${error.message}` : error);
  return 1;
}
