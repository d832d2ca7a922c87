/** A provider of the tools that Gmail does not have: one that takes keys, and others whose work can be looked after. */
import type { ToolUse } from "../../src/core/tool-use.ts";
import { type Connector, defineConnector } from "../../src/testing/index.ts";

export const SHOP = "shop";
export const KEY = "idempotency_key";
const FIND = "shop_find";

/** Asks the provider whether it was done. */
const verify: NonNullable<ToolUse["verify"]> = {
  tool: FIND,
  args: ({ tool }) => ({ about: tool }),
  happened: (answer) => (answer.ok ? (answer.data as { found?: boolean }).found : undefined),
};

export const SHOP_TOOLS: readonly ToolUse[] = [
  { name: "shop_pay", effect: "keyed", key: KEY },
  { name: "shop_publish", effect: "staged", verify },
  { name: "shop_post", effect: "verifiable", verify },
  { name: FIND, effect: "read" },
];

const TEXT = { type: "string" } as const;

/** A user's world: the tools that have done something. */
export const shop: Connector = defineConnector<Set<string>>({
  name: SHOP,
  title: "Shop",
  scopes: ["shop"],
  world: () => new Set(),
  tools: [
    {
      name: "shop_pay",
      description: "Pay. What comes again with a key is dropped.",
      parameters: { to: TEXT, [KEY]: TEXT },
      required: ["to", KEY],
      run: (_input, done) => did(done, "shop_pay"),
    },
    {
      name: "shop_publish",
      description: "Publish what was prepared.",
      parameters: { id: TEXT },
      required: ["id"],
      run: (_input, done) => did(done, "shop_publish"),
    },
    {
      name: "shop_post",
      description: "Post an article.",
      parameters: { title: TEXT },
      required: ["title"],
      run: (_input, done) => did(done, "shop_post"),
    },
    {
      name: FIND,
      description: "Tell whether a tool has done something.",
      parameters: { about: TEXT },
      required: ["about"],
      run: ({ about }, done) => ({ found: typeof about === "string" && done.has(about) }),
    },
  ],
});

function did(done: Set<string>, tool: string): { done: string } {
  done.add(tool);
  return { done: tool };
}
