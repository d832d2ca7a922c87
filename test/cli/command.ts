/** The `errand` command as a process, in an environment that says nothing but what a test says. */
import { join } from "node:path";
import { Readable } from "node:stream";
import type { TestContext } from "node:test";
import type { Out } from "../../src/cli/io.ts";
import { runCli } from "../../src/cli/program.ts";
import { type Ended, ROOT, start, type Started } from "../scripts/processes.ts";

export const EXAMPLE: string = join(ROOT, "examples/inbox-digest");

/** An empty variable is an unset one: what the machine says plays no part. */
export const BLANK: Readonly<Record<string, string>> = Object.fromEntries(
  `REDIS_URL REDIS_URL_FILE SCALEKIT_ENV_URL SCALEKIT_ENVIRONMENT_URL SCALEKIT_CLIENT_ID SCALEKIT_CLIENT_SECRET
  SCALEKIT_CLIENT_SECRET_FILE OPENAI_API_KEY OPENAI_API_KEY_FILE OPENAI_BASE_URL ERRAND_MODEL ERRAND_PREFIX ERRAND_BASE_URL LOG_LEVEL`
    .split(/\s+/)
    .map((name) => [name, ""]),
);

export function errandCommand(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string = EXAMPLE,
): Started {
  const program = ["--import", import.meta.resolve("tsx"), join(ROOT, "src/cli/main.ts")];
  return start(t, process.execPath, [...program, ...args], { env: { ...BLANK, ...env }, cwd });
}

/** The same without a process of its own, which costs a second: for what no signal, stream or exit has a part in. */
export async function errandHere(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { readonly cwd?: string; readonly stdin?: string } = {},
): Promise<Omit<Ended, "signal">> {
  const written = { stdout: "", stderr: "" };
  const out = (name: keyof typeof written): Out => ({ write: (text) => void (written[name] += text) });
  const stdin = Readable.from([options.stdin ?? ""]);
  const io = { stdin, stdout: out("stdout"), stderr: out("stderr"), env, cwd: options.cwd ?? EXAMPLE };
  const code = await runCli(args, io);
  return { code, ...written };
}
