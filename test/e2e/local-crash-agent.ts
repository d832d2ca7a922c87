/** An agent whose one tool mails four people. */
import { z } from "zod";
import { type Agent, agent, tool } from "../../src/index.ts";

export const TEAM: readonly string[] = ["a@x.com", "b@x.com", "c@x.com", "d@x.com"];

/** @param after told how many were mailed since the tool began */
export function mailingAgent(after: (mails: number) => unknown): Agent {
  const mail = tool({
    name: "mail_team",
    description: "Mails the team.",
    input: z.object({}),
    effect: "composite",
    uses: ["gmail_send_message"],
    execute: async (_input, { tools }) => {
      for (const [i, to] of TEAM.entries()) {
        await tools.execute({ tool: "gmail_send_message", parameters: { to, subject: "Report", body: "Well." } });
        after(i + 1);
      }
      return "all";
    },
  });
  return agent({
    name: "mailer",
    model: "openai/scripted",
    instructions: "Mail.",
    connections: ["gmail"],
    tools: [mail],
    input: z.object({}),
  });
}
