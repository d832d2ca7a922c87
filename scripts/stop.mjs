/**
 * Owns the question "should we stop?": a signal of ours, or the end of the npm that runs us. npm sends no signal when it is
 * killed with -9, so we look at our parent; package.json's `exec` makes npm itself our parent.
 */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
const PARENT_LOOK_MS = 250;

/** An AbortSignal whose `reason` is the name of the signal to stop with. */
export function watchForStop() {
  const controller = new AbortController();
  for (const name of Object.keys(SIGNALS)) process.on(name, () => controller.abort(name));

  const parent = process.ppid;
  const underNpm = process.env.npm_lifecycle_event !== undefined;
  if (underNpm) {
    const look = () => process.ppid !== parent && controller.abort("SIGTERM");
    setInterval(look, PARENT_LOOK_MS).unref();
  }
  return controller.signal;
}

/** Whether somebody sits there who could answer a question. A CI system may have a terminal and nobody at it. */
export function hasTerminal() {
  return process.stdin.isTTY === true && process.stderr.isTTY === true && !process.env.CI;
}

/** The shell's exit code of a process that a signal ended. */
export function codeOfSignal(name) {
  return 128 + (SIGNALS[name] ?? 9);
}
