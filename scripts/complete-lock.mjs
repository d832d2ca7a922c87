/**
 * Completes package-lock.json with the optional platform packages that npm left out.
 *
 * When to run it: `node scripts/complete-lock.mjs`, after every `npm install` that changed the lock. A registry (or a mirror)
 * that lacks a package for another platform makes npm leave it out of the lock; `npm ci` then refuses the lock everywhere
 * ("Missing: … from lock file"). An entry with name, version, os and cpu is enough for it. These entries have no integrity:
 * npm fetches them by version on the machines that need them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

/** What a platform package's name says about where it runs: `@oxlint/binding-linux-x64-musl` → linux, x64, musl. */
export function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.find((word) => SYSTEMS.includes(word));
  const cpu = words.find((word) => PROCESSORS.includes(word));
  if (os === undefined || cpu === undefined) {
    throw new Error(`${name} is optional and missing from the lock, and its name tells no platform: add it by hand.`);
  }
  const libc = words.some((word) => word.startsWith("musl"))
    ? { libc: ["musl"] }
    : words.some((word) => word.startsWith("gnu"))
      ? { libc: ["glibc"] }
      : {};
  return { os: [os], cpu: [cpu], ...libc };
}

/** The entries that `packages` of a lock lacks: path → entry. */
export function missingEntries(packages) {
  const missing = {};
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (packages[`node_modules/${name}`] ?? packages[`${path}/node_modules/${name}`]) continue;
      missing[`node_modules/${name}`] = {
        version: range.replace(/^[\^~]/, ""),
        ...platformOf(name),
        ...(entry.dev ? { dev: true } : {}),
        optional: true,
      };
    }
  }
  return missing;
}

function completeLock(file) {
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const missing = missingEntries(lock.packages);
  const all = Object.entries({ ...lock.packages, ...missing });
  lock.packages = Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  return Object.keys(missing).length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const added = completeLock(fileURLToPath(new URL("../package-lock.json", import.meta.url)));
  console.log(`package-lock.json: ${added} entries added`);
}
