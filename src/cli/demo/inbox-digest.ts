/** The agent of the demo: reads a user's unread mail and says what matters. */
import { z } from "zod";
import { agent, type TypedAgent } from "../../index.ts";

export interface Digest {
  readonly unread: number;
  readonly summary: string;
  readonly highlights: readonly { readonly from: string; readonly subject: string; readonly why: string }[];
}

export interface DigestInput {
  readonly query: string;
  readonly max_results: number;
}

/** @param model `profile/model`. @param connection the name of a Gmail connection */
export function inboxDigest(model: string, connection = "gmail"): TypedAgent<DigestInput, DigestInput, Digest> {
  return agent({
    name: "inbox-digest",
    model,
    instructions: "Summarise the user's unread mail. List it, read what looks important, and say what matters and why.",
    connections: [connection],
    tools: ["gmail_fetch_mails", "gmail_get_message_by_id"],
    input: z.object({ query: z.string(), max_results: z.number().int().min(1).max(500) }),
    output: z.object({
      unread: z.number().int(),
      summary: z.string(),
      highlights: z.array(z.object({ from: z.string(), subject: z.string(), why: z.string() })),
    }),
    limits: { turns: 8 },
  });
}
