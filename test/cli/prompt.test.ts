/** `errand enqueue --prompt`: the input of an agent that takes what a person types, whatever stands in it. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { agent, createErrand } from "../../src/index.ts";
import { removeKeys } from "../../src/testing/index.ts";
import { redisUrl, testPrefix } from "../support/store.ts";
import { errandHere } from "./command.ts";

const CONFIG = `import { agent, defineConfig } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)};
import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
const input = z.object({ prompt: z.string().min(1) });
export default defineConfig({ agents: [agent({ name: "asked", model: "openai/m", instructions: "Do it.", input })] });`;

test("a prompt is the input { prompt }, word by word", async (t) => {
  const [redis, prefix] = [redisUrl(), testPrefix()];
  const cwd = await mkdtemp(join(tmpdir(), "errand-prompt-"));
  const asked = agent({
    name: "asked",
    model: "openai/m",
    instructions: "Do it.",
    input: z.object({ prompt: z.string().min(1) }),
  });
  const app = createErrand({ redis, prefix, agents: [asked] });
  t.after(async () => {
    await app.close();
    await removeKeys(redis, prefix);
    await rm(cwd, { recursive: true });
  });
  await writeFile(join(cwd, "package.json"), '{ "type": "module" }');
  await writeFile(join(cwd, "errand.config.ts"), CONFIG);
  const enqueue = (...args: string[]): ReturnType<typeof errandHere> =>
    errandHere(
      ["enqueue", "asked", "--identifier", "ada", ...args],
      { REDIS_URL: redis, ERRAND_PREFIX: prefix },
      { cwd },
    );
  const prompt = `Summarise "my" mail,\n{"n":1} & 'all' $HOME`;
  const { stdout, code, stderr } = await enqueue("--prompt", prompt, "--key", "k");
  assert.equal(code, 0, stderr);
  const same = await app.enqueue(asked, { identifier: "ada", input: { prompt }, idempotencyKey: "k" });
  assert.equal(same.id, stdout.trim(), "the same key and input");
  assert.match((await enqueue("--prompt", "")).stderr, /input-invalid.*prompt/);
});
