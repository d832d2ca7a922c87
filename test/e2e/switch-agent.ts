/** An agent that never comes to an end by itself. */
import { z } from "zod";
import { agent, tool, type TypedAgent } from "../../src/index.ts";

const look = tool({
  name: "look_up",
  description: "Looks up a word.",
  input: z.object({}),
  effect: "read",
  polling: true,
  // A pace, so that its turns last for longer than the test.
  execute: () => new Promise((resolve) => setTimeout(resolve, 30, "42")),
});

export const looker: TypedAgent<object, object, string> = agent({
  name: "looker",
  model: "openai/scripted",
  instructions: "Look.",
  tools: [look],
  input: z.object({}),
  limits: { turns: 200, toolCalls: 2_000 },
});
