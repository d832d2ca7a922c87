/** The layer table of DESIGN §3 as a test: who may import whom. Read it top to bottom: a layer knows only those above it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Folder of src → the other folders it may import. The files of src itself are `root` (but index.ts, the public names). */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ports: ["core"],
  loop: ["core", "ports"],
  queue: ["core", "ports", "loop"],
  scalekit: ["core", "ports"],
  models: ["core", "ports"],
  tools: ["core", "ports"],
  service: ["core", "queue", "scalekit"],
  // Not testing: an app that imports errand loads no emulator. Never cli.
  root: ["core", "ports", "loop", "queue", "scalekit", "models", "tools", "service"],
  index: ["core", "ports", "loop", "queue", "scalekit", "models", "tools", "service", "root"],
  testing: ["core", "ports"],
  cli: ["index", "service", "testing"],
  workers: ["index"],
};

/** Package → the only folders that know it. */
const VENDORS: Readonly<Record<string, readonly string[]>> = {
  bullmq: ["queue"],
  "cron-parser": ["queue"],
  cronstrue: ["queue"],
  ioredis: ["queue", "root", "testing"],
  "@scalekit-sdk/node": ["scalekit", "testing"],
  "@connectrpc/connect": ["scalekit", "testing"],
  "@connectrpc/connect-node": ["scalekit", "testing"],
  "@bufbuild/protobuf": ["scalekit", "testing"],
  openai: ["models"],
  "gpt-tokenizer": ["models"],
  "@pydantic/genai-prices": ["models"],
  "@anthropic-ai/sdk": ["models"],
  "@modelcontextprotocol/client": ["tools"],
  ajv: ["tools", "testing"],
  hono: ["service", "cli", "testing"],
  "@hono/node-server": ["service", "cli", "testing"],
  pino: ["queue", "root"],
  uuid: ["queue"],
  zod: ["tools", "service", "root", "testing", "cli"],
  "postal-mime": ["testing"],
  "html-to-text": ["testing"],
  commander: ["cli"],
  "log-update": ["cli"],
  tsx: ["root", "cli"],
};

/** No clock, no files, no network, no randomness: what they need is an argument or a port. */
const WITHOUT_NODE: readonly string[] = ["core", "ports", "loop"];

/** Path from the repository's root → source text. */
type Sources = ReadonlyMap<string, string>;

const ROOT = fileURLToPath(new URL("..", import.meta.url));

test("every import of src and workers stays within its layer", () => {
  const sources = readSources("src", "workers");
  assert.ok(sources.size > 10, "the sources were read");
  assert.deepEqual(layerViolations(sources), []);
});

test("no file imports itself in a circle", () => {
  assert.deepEqual(circles(readSources("src", "workers")), []);
});

test("every dependency of package.json has its place in the table, and nothing else has", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<string, object>;
  const { dependencies = {}, peerDependencies = {} } = manifest;
  assert.deepEqual(Object.keys(VENDORS).sort(), Object.keys({ ...dependencies, ...peerDependencies }).sort());
});

/** Each rule is seen to fail: a planted line, and what must be said about it. */
const PLANTED: readonly [path: string, line: string, violation: RegExp][] = [
  [
    "src/core/x.ts",
    'import { Redis } from "ioredis";',
    /src\/core\/x\.ts: ioredis may be imported only in queue, root, testing/,
  ],
  ["src/core/x.ts", 'import type { Redis } from "ioredis";', /ioredis may be imported only in/],
  ["src/core/x.ts", 'import { z } from "zod";', /zod may be imported only in/],
  [
    "src/core/x.ts",
    'import { readFile } from "node:fs/promises";',
    /core must not import Node's modules \(node:fs\/promises\)/,
  ],
  ["src/core/x.ts", 'import { a } from "../queue/a.ts";', /core must not import queue \(\.\.\/queue\/a\.ts\)/],
  ["src/core/x.ts", 'export * from "../errand.ts";', /core must not import root/],
  ["src/ports/x.ts", 'import type { a } from "../loop/a.ts";', /ports must not import loop/],
  ["src/loop/x.ts", 'const a = await import("../queue/a.ts");', /loop must not import queue/],
  ["src/loop/x.ts", 'type A = import("../scalekit/a.ts").A;', /loop must not import scalekit/],
  ["src/loop/deep/x.ts", 'import {\n  a,\n  b,\n} from "../../queue/a.ts";', /loop must not import queue/],
  ["src/queue/x.ts", 'import { a } from "../scalekit/a.ts";', /queue must not import scalekit/],
  [
    "src/models/x.ts",
    'import { a } from "@scalekit-sdk/node/lib/a.js";',
    /@scalekit-sdk\/node may be imported only in/,
  ],
  ["src/scalekit/x.ts", 'import OpenAI from "openai";', /openai may be imported only in models/],
  ["src/testing/x.ts", 'import "../queue/a.ts";', /testing must not import queue/],
  ["src/errand.ts", 'import { a } from "./cli/a.ts";', /root must not import cli/],
  ["src/index.ts", 'export { a } from "./testing/a.ts";', /index must not import testing/],
  ["src/cli/x.ts", 'import { a } from "../queue/a.ts";', /cli must not import queue/],
  ["workers/x.ts", 'import { a } from "../src/errand.ts";', /workers must not import root/],
  ["workers/x.ts", 'import { a } from "../src/queue/a.ts";', /workers must not import queue/],
  ["src/queue/x.ts", 'import { a } from "left-pad";', /left-pad is in no row of the vendor table/],
  [
    "src/newcomer/x.ts",
    "export const a: number = 1;",
    /src\/newcomer\/x\.ts: newcomer is in no row of the layer table/,
  ],
];

for (const [path, line, violation] of PLANTED) {
  test(`seen to fail: ${line.replaceAll("\n", " ")} in ${path}`, () => {
    const found = layerViolations(new Map([[path, line]]));
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", violation);
  });
}

test("what is allowed, in comments or in texts is no violation", () => {
  const text = `/** import { Redis } from "ioredis"; */
    // import { Redis } from "ioredis";
    import { a } from "./a.ts";
    import { b } from "../core/b.ts";
    const words = 'is not imported from "ioredis"';`;
  assert.deepEqual(layerViolations(new Map([["src/ports/x.ts", text]])), []);
});

test("seen to fail: a circle of three files", () => {
  const planted = new Map([
    ["src/core/a.ts", 'import { b } from "./b.ts";'],
    ["src/core/b.ts", 'import type { c } from "./deep/c.ts";'],
    ["src/core/deep/c.ts", 'import { a } from "../a.ts";'],
    ["src/core/d.ts", 'import { a } from "./a.ts";'],
  ]);
  assert.deepEqual(circles(planted), ["src/core/a.ts → src/core/b.ts → src/core/deep/c.ts → src/core/a.ts"]);
});

function layerViolations(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const layer = layerOf(path);
    const allowed = LAYERS[layer];
    if (allowed === undefined) return [`${path}: ${layer} is in no row of the layer table`];
    const wrong = importsOf(text).map((name) => importViolation(layer, allowed, path, name));
    return wrong.filter((message) => message !== undefined).map((message) => `${path}: ${message}`);
  });
}

function importViolation(layer: string, allowed: readonly string[], path: string, name: string): string | undefined {
  if (name.startsWith(".")) {
    const target = layerOf(join(dirname(path), name));
    return target === layer || allowed.includes(target) ? undefined : `${layer} must not import ${target} (${name})`;
  }
  if (name.startsWith("node:")) {
    return WITHOUT_NODE.includes(layer) ? `${layer} must not import Node's modules (${name})` : undefined;
  }
  const vendor = name.split("/", name.startsWith("@") ? 2 : 1).join("/");
  const homes = VENDORS[vendor];
  if (homes === undefined) return `${vendor} is in no row of the vendor table`;
  return homes.includes(layer) ? undefined : `${vendor} may be imported only in ${homes.join(", ")}`;
}

/** `src/queue/scripts/a.ts` → queue, `src/errand.ts` → root, `workers/a.ts` → workers. */
function layerOf(path: string): string {
  const [top = "", folder = "", ...rest] = path.split("/");
  if (top !== "src") return top;
  if (rest.length > 0) return folder;
  return folder === "index.ts" ? "index" : "root";
}

/** What a source imports, by static, dynamic and type imports alike. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements = /^\s*(?:import|export)\s(?:[^;'"`]*?\sfrom\s)?\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [...code.matchAll(statements)].map(([, fixed, called]) => fixed ?? called ?? "");
}

/** Each circle of imports once, told from its first file. */
function circles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    const local = importsOf(sources.get(path) ?? "").filter((name) => name.startsWith("."));
    for (const name of local) walk(join(dirname(path), name), [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) walk(path, []);
  return found;
}

function readSources(...folders: string[]): Sources {
  const paths = folders.flatMap((folder) =>
    readdirSync(ROOT).includes(folder)
      ? readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name))
      : [],
  );
  const sources = paths.filter((path) => path.endsWith(".ts")).sort();
  return new Map(sources.map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
}
