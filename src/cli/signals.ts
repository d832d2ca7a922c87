/** Asked to stop: the first signal asks, the second one ends the process at once. */
import { constants } from "node:os";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export interface Stop {
  /** Resolves with the first signal's name. */
  readonly asked: Promise<NodeJS.Signals>;
  /** Aborts then. */
  readonly signal: AbortSignal;
  /** Gives the signals back their usual effect. */
  close(): void;
}

export function watchSignals(): Stop {
  const abort = new AbortController();
  let ask: (name: NodeJS.Signals) => void = () => undefined;
  const asked = new Promise<NodeJS.Signals>((resolve) => (ask = resolve));
  const onSignal = (name: NodeJS.Signals): void => {
    if (abort.signal.aborted) process.exit(codeOfSignal(name));
    abort.abort();
    ask(name);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  const close = (): void => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  return { asked, signal: abort.signal, close };
}

/** As a shell reports a process that a signal ended. */
export function codeOfSignal(name: NodeJS.Signals): number {
  return 128 + constants.signals[name];
}
