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
