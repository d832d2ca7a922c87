/** An agent that looks up a word and thinks long. */
import { z } from "zod";
import { agent, type Limits, tool, type TypedAgent } from "../../src/index.ts";

const look = tool({
  name: "look_up",
  description: "Looks up a word.",
  input: z.object({}),
  effect: "read",
  execute: () => Promise.resolve("42"),
});

export function thinkerWith(limits: Partial<Limits> = {}): TypedAgent<object, object, string> {
  return agent({
    name: "thinker",
    model: "openai/scripted",
    instructions: "Think.",
    tools: [look],
    input: z.object({}),
    limits: { tokens: 1_000_000, ...limits },
  });
}

export const thinker: TypedAgent<object, object, string> = thinkerWith();
