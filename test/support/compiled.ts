/**
 * A process entry as one compiled file, which is how workers are deployed: its start costs 0.3 s of CPU instead of the 2.1 s that
 * tsx takes for some thousand modules (measured on 2026-11-21). That counts where a test starts hundreds.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Below node_modules: what looks for the manifest of a package finds it from there. */
const PLACE = fileURLToPath(new URL("../../node_modules/.cache/errand/", import.meta.url));
/** Vendors in CommonJS ask for Node's modules by `require`. */
const BANNER =
  'import { createRequire as errandRequire } from "node:module"; const require = errandRequire(import.meta.url);';

const made = new Map<string, Promise<string>>();

/** @returns the path of the compiled file; once per process, which removes it when it ends */
export function compiled(entry: URL): Promise<string> {
  const known = made.get(entry.href);
  if (known !== undefined) return known;
  const file = compile(fileURLToPath(entry));
  made.set(entry.href, file);
  return file;
}

async function compile(entry: string): Promise<string> {
  mkdirSync(PLACE, { recursive: true });
  const dir = mkdtempSync(join(PLACE, "compiled-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  const outfile = join(dir, "entry.mjs");
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: BANNER },
    logLevel: "error",
  });
  return outfile;
}
