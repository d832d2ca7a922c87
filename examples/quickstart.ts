import { agent, configFromEnv, createErrand, defaultModel } from "errand";
import { z } from "zod";

const inboxDigest = agent({
  name: "inbox-digest",
  model: defaultModel(), // ERRAND_MODEL=openai/<name>; a gateway differs only in OPENAI_BASE_URL
  instructions: "Summarise the user's unread mail: what matters, and why.",
  connections: ["gmail"], // must be ACTIVE for the run's user
  tools: ["gmail_fetch_mails", "gmail_get_message_by_id"],
  input: z.object({ query: z.string() }),
  output: z.object({ unread: z.number(), summary: z.string() }),
  limits: { turns: 8 },
});

// REDIS_URL, SCALEKIT_…, OPENAI_API_KEY, ERRAND_BASE_URL: see .env.example. Every option can be given here instead.
const errand = createErrand({ ...configFromEnv(), agents: [inboxDigest] });
errand.worker({ concurrency: 50 });

const run = await errand.enqueue(inboxDigest, { identifier: "user_123", input: { query: "is:unread" } });
for await (const event of run.events())
  if (event.type === "run.parked" && event.reason === "account")
    console.log("write to user_123:", errand.connectUrl("gmail"));
const { summary } = await run.result(); // typed by the output schema
console.log(summary);
await errand.close();
