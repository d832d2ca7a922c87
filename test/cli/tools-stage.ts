/** What `errand tools classify` works on: a Scalekit with tools of our own, a folder with a config, and what is said of them. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Classification, ReviewedTool, ToolManifest } from "../../src/index.ts";
import { defineConnector, type ScalekitEmulator, startScalekitEmulator } from "../../src/testing/index.ts";
import { errandHere } from "./command.ts";

const src = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** @param agents the list of agents, as code that may call `use(name, tools, more)`; and what else the config holds */
export const config = (agents: string, more = ""): string => `
import { agent, defineConfig } from ${src("index.ts")};
import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
const use = (name, tools, more = {}) =>
  agent({ name, model: "openai/m", instructions: "…", input: z.object({}), connections: ["crm"], tools, ...more });
export default defineConfig({ agents: [${agents}], ${more} });
`;

export interface Described {
  readonly name: string;
  readonly description: string;
  readonly parameters?: Record<string, { type: string }>;
  readonly required?: readonly string[];
}

export const FIND: Described = {
  name: "crm_find_contact",
  description: "Finds a contact.",
  parameters: { id: { type: "string" } },
};
export const NOTE: Described = { name: "crm_add_note", description: "Adds a note." };
export const ARCHIVE: Described = {
  name: "crm_archive_contact",
  description: "Puts a contact away.",
  parameters: { contact_id: { type: "string" } },
  required: ["contact_id"],
};

/** A Scalekit whose connector `crm` has these tools. */
export async function scalekitWith(t: TestContext, tools: readonly Described[]): Promise<ScalekitEmulator> {
  const crm = defineConnector({
    name: "crm",
    title: "CRM",
    scopes: [],
    tools: tools.map((tool) => ({ parameters: {}, ...tool, run: () => ({}) })),
    world: () => ({}),
  });
  const emulator = await startScalekitEmulator({ connections: [{ name: "crm", connector: crm }, "gmail"] });
  t.after(() => emulator.close());
  return emulator;
}

export interface Stage {
  readonly cwd: string;
  readonly path: string;
  readonly run: (emulator: ScalekitEmulator, ...args: string[]) => ReturnType<typeof errandHere>;
  readonly list: (emulator: ScalekitEmulator, ...args: string[]) => Promise<Classification>;
  readonly manifest: () => Promise<ToolManifest>;
  readonly save: (manifest: unknown) => Promise<void>;
}

export async function stage(t: TestContext, configText: string): Promise<Stage> {
  const cwd = await mkdtemp(join(tmpdir(), "errand-tools-"));
  t.after(() => rm(cwd, { recursive: true }));
  await writeFile(join(cwd, "package.json"), '{ "type": "module" }');
  await writeFile(join(cwd, "errand.config.ts"), configText);
  const path = join(cwd, "errand.tools.json");
  const run: Stage["run"] = (emulator, ...args) => {
    const { url, clientId, clientSecret } = emulator;
    const env = { SCALEKIT_ENV_URL: url, SCALEKIT_CLIENT_ID: clientId, SCALEKIT_CLIENT_SECRET: clientSecret };
    return errandHere(["tools", "classify", ...args], env, { cwd });
  };
  return {
    cwd,
    path,
    run,
    list: async (emulator, ...args) => JSON.parse((await run(emulator, "--json", ...args)).stdout) as Classification,
    manifest: async () => JSON.parse(await readFile(path, "utf8")) as ToolManifest,
    save: (manifest) => writeFile(path, typeof manifest === "string" ? manifest : JSON.stringify(manifest)),
  };
}

export const cells = (text: string): string[][] =>
  text
    .split("\n\n")[0]
    ?.trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/)) ?? [];

export const brief = ({ tools }: Classification): unknown[] =>
  tools.map(({ tool, effect, from, definition, open }: ReviewedTool) => [tool, effect, from, definition, open]);
