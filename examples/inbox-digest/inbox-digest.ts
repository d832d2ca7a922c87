/** An agent that reads a user's unread mail and says what matters. In your own app the import is `from "errand"`. */
import { z } from "zod";
import { agent, defaultModel, type TypedAgent } from "../../src/index.ts";

export interface Digest {
  readonly unread: number;
  readonly summary: string;
  readonly highlights: readonly { readonly from: string; readonly subject: string; readonly why: string }[];
}

export const inboxDigest: TypedAgent<{ query?: string | undefined }, { query: string }, Digest> = agent({
  name: "inbox-digest",
  model: defaultModel(), // ERRAND_MODEL=openai/<name>, also through a gateway: then OPENAI_BASE_URL is the gateway's
  instructions: "Summarise the user's unread mail. List it, read what looks important, and say what matters and why.",
  connections: ["gmail"], // must be ACTIVE for the run's user; until then the run is parked
  tools: ["gmail_fetch_mails", "gmail_get_message_by_id"],
  input: z.object({ query: z.string().default("is:unread") }),
  output: z.object({
    unread: z.number().int(),
    summary: z.string(),
    highlights: z.array(z.object({ from: z.string(), subject: z.string(), why: z.string() })),
  }),
  limits: { turns: 8 },
});
