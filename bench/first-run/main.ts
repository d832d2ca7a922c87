/**
 * How long a stranger waits: fresh clone → end of `npm run demo`, without a terminal, with and without npm's cache.
 * `node --import tsx bench/first-run/main.ts [--node FOLDER …]`: folders that hold a `node` binary; default the one that runs this.
 * Redis must be on the machine already; installing redis-tools takes about 3 to 7 s more. Prints one line of JSON last.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { values } = parseArgs({ options: { node: { type: "string", multiple: true } } });
const folders = values.node ?? [dirname(process.execPath)];

interface FirstRun {
  readonly node: string;
  readonly cache: "warm" | "cold";
  readonly seconds: { readonly clone: number; readonly demo: number };
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): { seconds: number; out: string } {
  const started = performance.now();
  const done = spawnSync(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with ${done.status}:\n${done.stdout}${done.stderr}`);
  return { seconds: Math.round(performance.now() - started) / 1000, out: done.stdout };
}

function firstRun(folder: string, cache: FirstRun["cache"]): FirstRun {
  const place = mkdtempSync(join(tmpdir(), "errand-first-run-"));
  try {
    const { REDIS_URL: _ours, ...inherited } = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)),
    );
    const env = {
      ...inherited,
      PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}`,
      ...(cache === "cold" && { npm_config_cache: join(place, "cache") }),
    };
    const clone = run("git", ["clone", "--quiet", ROOT, join(place, "errand")], place, env);
    const demo = run("npm", ["run", "demo"], join(place, "errand"), env);
    if (!/Ada .*turns/.test(demo.out)) throw new Error(`the demo ended without its table:\n${demo.out}`);
    return {
      node: run("node", ["--version"], place, env).out.trim(),
      cache,
      seconds: { clone: clone.seconds, demo: demo.seconds },
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

const runs: FirstRun[] = [];
for (const folder of folders)
  for (const cache of ["cold", "warm"] as const) {
    const done = firstRun(folder, cache);
    process.stdout.write(
      `Node ${done.node}, npm cache ${cache}: clone ${done.seconds.clone} s, then npm run demo ${done.seconds.demo} s\n`,
    );
    runs.push(done);
  }
process.stdout.write(`${JSON.stringify({ firstRuns: runs })}\n`);
