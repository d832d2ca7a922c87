/** `errand doctor`: a list of checks, and for each that is not ok what to do. */
import { type Check, type CheckResult, checkUp } from "../index.ts";
import { EXIT } from "./failure.ts";
import { given, type GlobalArgs, type Io, jsonLine, line, type Paint, painter, type Style } from "./io.ts";

export interface DoctorArgs extends GlobalArgs {
  readonly live?: boolean;
  readonly identifier?: string;
}

/** @returns 1 when a check failed */
export async function examine(args: DoctorArgs, io: Io): Promise<number> {
  const { config: file, live, identifier } = args;
  const checks = await checkUp(given({ file, live, identifier, cwd: io.cwd, env: io.env }));
  const ok = checks.every(({ result }) => result !== "failed");
  if (args.json === true) jsonLine(io.stdout, { ok, checks });
  else sayChecks(checks, io);
  return ok ? EXIT.ok : EXIT.error;
}

function sayChecks(checks: readonly Check[], { stdout }: Io): void {
  const paint = painter(stdout);
  for (const area of new Set(checks.map((check) => check.area))) {
    line(stdout, paint("bold", area));
    for (const check of checks.filter((one) => one.area === area)) line(stdout, text(check, paint));
  }
  line(stdout, `\n${summary(checks)}`);
}

const STYLES: Readonly<Record<CheckResult, Style>> = { ok: "green", warning: "yellow", failed: "red", skipped: "dim" };
const INDENT = " ".repeat(11);

/** What services say is no text of ours. Line breaks stay: a config file that fails is told with the place. */
function text({ result, name, found, todo }: Check, paint: Paint): string {
  const lines = found.split("\n").map((one) => one.replace(/[\p{Cc}\p{Cf}]+/gu, " "));
  const head = `  ${paint(STYLES[result], result.padEnd(8))} ${name}: ${lines.join(`\n${INDENT}`)}`;
  return todo === undefined ? head : `${head}\n${INDENT}→ ${todo}`;
}

function summary(checks: readonly Check[]): string {
  const results: readonly CheckResult[] = ["ok", "warning", "failed", "skipped"];
  return results.map((result) => `${checks.filter((check) => check.result === result).length} ${result}`).join(", ");
}
