/** An agent that looks up a word and thinks long. */
import { z } from "zod";
import { agent, tool, type TypedAgent } from "../../src/index.ts";

const look = tool({
  name: "look_up",
  description: "Looks up a word.",
  input: z.object({}),
  effect: "read",
  execute: () => Promise.resolve("42"),
});

export const thinker: TypedAgent<object, object, string> = agent({
  name: "thinker",
  model: "openai/scripted",
  instructions: "Think.",
  tools: [look],
  input: z.object({}),
  limits: { tokens: 1_000_000 },
});
