/** How a command fails: what is said, and the exit code. */
import { CommanderError } from "commander";
import { type GlobalArgs, type Io, jsonLine, line, painter } from "./io.ts";

export const EXIT = { ok: 0, error: 1, usage: 2, notCompleted: 3, timeout: 4 } as const;

export const EXIT_CODES = `Exit codes: 0 done; 1 error; 2 wrong usage; 3 the run failed, expired or was cancelled; 4 not done in time (--timeout).`;

const NOT_COMPLETED = ["run-failed", "run-expired", "run-cancelled"];

interface Ours extends Error {
  readonly code: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** By name, so that the grammar of the command line loads nothing else of Errand. */
function isOurs(error: unknown): error is Ours {
  return error instanceof Error && error.name === "ErrandError" && "code" in error;
}

/** Says what went wrong: an error of ours in its own words, a bug with its stack. @returns the exit code */
export function fail(error: unknown, { json, debug }: GlobalArgs, { stderr }: Io): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok; // --help, --version
    if (json === true) jsonLine(stderr, { error: { code: "usage", message: usageMessage(error) } });
    return EXIT.usage;
  }
  const paint = painter(stderr);
  const bug = !isOurs(error);
  const { code, message, details } = bug ? { code: "internal", message: messageOf(error), details: undefined } : error;
  const particulars = details !== undefined && Object.keys(details).length > 0 ? { details } : {};
  if (json === true) jsonLine(stderr, { error: { code, message, ...particulars } });
  else line(stderr, `${paint("red", "errand:")} ${paint("bold", code)}: ${message}`);
  if (debug === true || (bug && json !== true)) line(stderr, stackOf(error));
  return exitCode(code);
}

export function exitCode(code: string): number {
  if (NOT_COMPLETED.includes(code)) return EXIT.notCompleted;
  return code === "timeout" ? EXIT.timeout : EXIT.error;
}

function usageMessage({ code, message }: CommanderError): string {
  return code === "commander.help" ? "expected a command" : message.replace(/^error: /, "").replaceAll("\n", " ");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause) || messageOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
