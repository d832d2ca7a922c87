/** What a call costs: by the profile's own price, by the list, or nobody knows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_USAGE } from "../../src/core/messages.ts";
import { priceOf } from "../../src/models/prices.ts";

const usage = { ...NO_USAGE, input: 1_000_000, cachedInput: 400_000, output: 1_000_000 };
const asked = (model: string): { profile: string; model: string } => ({ profile: "p", model });

test("the profile's own price wins; cached input at its price, or that of input", async () => {
  const price = { input: 2, output: 10 };
  assert.equal(await priceOf({ price }, asked("gpt-4o"), usage), 12);
  const cached = await priceOf({ price: { ...price, cachedInput: 1 } }, asked("gpt-4o"), usage);
  assert.equal(cached, 11.6);
});

test("else the list, by the address of the provider", async () => {
  const known = await priceOf({}, asked("gpt-4o"), usage);
  assert.ok(known !== undefined && known > 1 && known < 100, String(known));
  assert.equal(await priceOf({ baseURL: "https://api.openai.com/v1" }, asked("gpt-4o"), usage), known);
  assert.equal(await priceOf({ baseURL: "http://127.0.0.1:1/v1" }, asked("gpt-4o"), usage), undefined, "a gateway");
  assert.equal(await priceOf({}, asked("a-model-of-next-year"), usage), undefined);
  assert.equal(await priceOf(undefined, asked("gpt-4o"), usage), undefined);
});

test("a profile without an address is priced where it goes: Anthropic's own, a gateway's", async () => {
  const claude = "claude-sonnet-4-5";
  const known = await priceOf({ baseURL: "https://api.anthropic.com" }, asked(claude), usage);
  assert.ok(known !== undefined && known > 1, String(known));
  assert.equal(await priceOf({ protocol: "messages" }, asked(claude), usage), known);
  assert.equal(await priceOf({ protocol: "messages", baseURL: "http://127.0.0.1:1" }, asked(claude), usage), undefined);
  for (const [gateway, model] of [
    ["openrouter", "openai/gpt-4o"],
    ["gemini", "gemini-2.5-flash"],
  ] as const) {
    const price = await priceOf({ gateway }, asked(model), usage);
    assert.ok(price !== undefined && price > 0.1, `${gateway}: ${price}`);
  }
  assert.equal(await priceOf({ gateway: "litellm" }, asked("gpt-4o-of-ours"), usage), undefined, "of one's own");
});

test("what is written to Anthropic's cache costs more than other input, and twice that for an hour", async () => {
  const written = { ...NO_USAGE, input: 100_000, cacheWritten: 100_000 };
  const of = (promptCache?: "1h" | false): Promise<number | undefined> =>
    priceOf(
      { protocol: "messages", ...(promptCache !== undefined && { features: { promptCache } }) },
      asked("claude-sonnet-4-5"),
      written,
    );
  const [plain = 0, minutes = 0, hour = 0] = [await of(false), await of(), await of("1h")];
  assert.deepEqual([Math.round((100 * minutes) / plain), Math.round((100 * hour) / plain)], [125, 200]);
});
