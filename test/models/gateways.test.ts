/** Profiles: what is known of gateways, what is refused, and what a turn costs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import { GATEWAY_NAMES } from "../../src/models/gateways.ts";
import { type ModelProfile, modelOf, resolveProfile } from "../../src/models/protocols.ts";
import { say, withUsage } from "../../src/testing/model/index.ts";
import { lab, PROTOCOLS } from "./lab.ts";

const resolved: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>])[] = [
  ["OpenAI itself", {}, {}],
  [
    "by name, with its address",
    { gateway: "fastrouter" },
    { baseURL: "https://api.fastrouter.ai/api/v1", features: { maxTokensField: "max_tokens" } },
  ],
  [
    "by host",
    { baseURL: "https://openrouter.ai/api/v1" },
    { baseURL: "https://openrouter.ai/api/v1", features: { maxTokensField: "max_tokens" } },
  ],
  [
    "on another protocol",
    { gateway: "openrouter", protocol: "messages" },
    { baseURL: "https://openrouter.ai/api/v1", features: {} },
  ],
  [
    "at another address",
    { gateway: "gemini", baseURL: "http://127.0.0.1:1/v1" },
    { baseURL: "http://127.0.0.1:1/v1", features: { maxTokensField: "max_tokens", structuredOutputWithTools: false } },
  ],
  [
    "the profile's own settings come first",
    { gateway: "vllm", baseURL: "http://127.0.0.1:1/v1", features: { toolChoiceNone: true, parallelToolCalls: false } },
    {
      features: {
        maxTokensField: "max_tokens",
        toolChoiceNone: true,
        parallelToolCalls: false,
        structuredOutputWithTools: false,
      },
    },
  ],
  ["a host that nobody knows", { baseURL: "https://models.example/v1" }, { baseURL: "https://models.example/v1" }],
];

test("a gateway sets what is known of it", () => {
  for (const [name, profile, expected] of resolved) {
    const got = resolveProfile({ apiKey: "k", ...profile } as ModelProfile);
    for (const [key, value] of Object.entries({ baseURL: undefined, features: undefined, ...expected }))
      if (key in expected || !(key in profile))
        assert.deepEqual(got[key as keyof ModelProfile], value, `${name}: ${key}`);
  }
});

const wrong: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ["a slip", { maxOutputToken: 5 }, /there is no "maxOutputToken"\. Did you mean "maxOutputTokens"/],
  [
    "a slip in a feature",
    { features: { parallelCalls: true } },
    /features: there is no "parallelCalls"\..* Known: parallelToolCalls/,
  ],
  ["another protocol's feature", { features: { promptCache: "5m" } }, /features: there is no "promptCache"/],
  [
    "a feature of a wrong type",
    { features: { toolChoice: "none" } },
    /features\.toolChoice: expected true or false, got "none"\./,
  ],
  [
    "a value that a feature has not",
    { features: { structuredOutput: "xml" } },
    /features\.structuredOutput: expected "json_schema", "json_object", "none", got "xml"\./,
  ],
  [
    "no such cache",
    { protocol: "messages", features: { promptCache: "1d" } },
    /features\.promptCache: expected "5m", "1h", false, got "1d"\./,
  ],
  ["features that are none", { features: "all" }, /features: expected an object, got string\./],
  [
    "no such gateway",
    { gateway: "slowrouter" },
    /gateway: expected one of fastrouter, openrouter, litellm, gemini, vllm, got "slowrouter"/,
  ],
  ["somebody's own server", { gateway: "litellm" }, /baseURL: missing; gateway "litellm" is a server of your own/],
  [
    "a protocol that it does not speak",
    { gateway: "gemini", protocol: "responses" },
    /the gateway gemini does not speak "responses"/,
  ],
  [
    "a protocol that the host does not speak",
    { baseURL: "https://api.fastrouter.ai/api/v1", protocol: "messages" },
    /the gateway of https:\/\/api\.fastrouter\.ai\/api\/v1 does not speak "messages"/,
  ],
  [
    "a price that is none",
    { price: { input: -1, output: 2 } },
    /price\.input: expected US dollars for a million tokens/,
  ],
  ["half a price", { price: { input: 1 } }, /price\.output: expected US dollars .*got undefined\./],
  ["a price of something else", { price: { input: 1, output: 2, reasoning: 3 } }, /price: there is no "reasoning"/],
];

test("a profile that can never work is refused at once, and told what was meant", () => {
  for (const [name, fields, message] of wrong)
    assert.throws(
      () => modelOf({ apiKey: "k-secret", ...fields } as ModelProfile),
      (error: unknown) => {
        assert.ok(error instanceof ErrandError, `${name}: ${String(error)}`);
        assert.equal(error.code, "option-invalid");
        assert.match(error.message, message, name);
        assert.doesNotMatch(error.message, /k-secret/);
        return true;
      },
    );
});

for (const protocol of PROTOCOLS)
  test(`what a turn costs: the gateway's word, in the body or a header, then the profile's price (${protocol})`, async (t) => {
    const counts = { input: 1_000, output: 200, cached: 600, reasoning: 50 };
    const price = { input: 2, cachedInput: 0.5, output: 10 };
    const header = { "x-litellm-response-cost": "0.0042" };
    const { server, answer } = await lab(t, [], { protocol, price });
    const costOf = async (usage: object | null, headers = {}): Promise<number | undefined> => {
      server.script([withUsage(usage, say("Hi", { headers }))]);
      return (await answer()).costUsd;
    };
    assert.equal(await costOf(counts), (400 * 2 + 600 * 0.5 + 200 * 10) / 1e6);
    assert.equal(await costOf({ ...counts, cost: 0.01 }, header), 0.01);
    assert.equal(await costOf(counts, header), 0.0042);
    assert.equal(await costOf(counts, { "x-litellm-response-cost": "None" }), 0.0031);
    assert.equal(await costOf(null), undefined, "no usage, no cost");
  });

test("through each gateway's profile the model answers, and nothing is sent that a strict server refuses", async (t) => {
  for (const gateway of GATEWAY_NAMES)
    for (const protocol of PROTOCOLS) {
      const profile = { protocol, gateway, maxOutputTokens: 100 } as ModelProfile;
      if (!speaks(profile)) continue;
      const { server, answer } = await lab(t, [say("Hi")], profile);
      assert.equal((await answer({ toolChoice: "none" })).text, "Hi", `${gateway}, ${protocol}`);
      assert.deepEqual(server.requests[0]?.problems, []);
    }
});

function speaks(profile: ModelProfile): boolean {
  try {
    return resolveProfile({ ...profile, apiKey: "k", baseURL: "http://127.0.0.1:1/v1" }) !== undefined;
  } catch {
    return false;
  }
}
