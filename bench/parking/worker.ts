/** A process with an Errand worker, as an app would start it; its waker has the product's defaults. */
import { z } from "zod";
import { agent, createErrand, type Errand, type ErrandOptions, type TypedAgent } from "../../src/index.ts";
import { serve } from "../floor/child.ts";

export const CONNECTION = "gmail";

export const mailAgent: TypedAgent<object, object, string> = agent({
  name: "mail",
  model: "bench/scripted",
  instructions: "Say how many mails are unread.",
  connections: [CONNECTION],
  tools: [{ name: "gmail_fetch_mails", effect: "read" }],
  input: z.object({}),
});

let errand: Errand | undefined;

if (process.send !== undefined)
  serve(
    {
      start: async (options: Omit<ErrandOptions, "agents">) => {
        errand = createErrand({ ...options, agents: [mailAgent] });
        await errand.worker().ready();
      },
    },
    () => errand?.close(),
  );
