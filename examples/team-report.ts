/** A tool of the app's own that calls Scalekit's, an approval, and a second version for a tenth of the users. */
import { type Agent, agent, defaultModel, tool, toolVersions } from "errand";
import { z } from "zod";

const input = z.object({
  team: z.array(z.email()).max(50).describe("whom to mail"),
  text: z.string().describe("the report"),
});

/** All that it does to the world it does by `ctx.tools.execute`, so it may be run again at any time. */
const mailTeam = tool({
  name: "mail_team",
  version: "1",
  description: "Mails the report to each of the team. Returns who got it.",
  effect: "composite",
  uses: ["gmail_send_message"],
  input,
  output: z.object({ sent: z.array(z.string()) }),
  execute: async ({ team, text }, { tools, utils, errors }) => {
    if (team.length === 0) throw new errors.ValidationError("There is nobody in the team.");
    const subject = `Report of ${utils.formatDate(utils.now(), "YYYY-MM-DD")}`;
    const sent: string[] = [];
    for (const to of team) {
      await tools.execute({ tool: "gmail_send_message", parameters: { to, subject, body: text } });
      sent.push(to);
    }
    return { sent };
  },
});

/** The next version goes to a tenth of the users first; runs that began with the first one keep it. */
const mailTeamNext = tool({
  name: "mail_team",
  version: "2",
  description: "Mails the report to each of the team at once. Returns who got it.",
  effect: "composite",
  uses: ["gmail_send_message"],
  input,
  output: z.object({ sent: z.array(z.string()) }),
  execute: async ({ team, text }, { tools }) => {
    await tools.execute({
      tool: "gmail_send_message",
      parameters: { to: team.join(", "), subject: "Report", body: text },
    });
    return { sent: team };
  },
});

export const reporter: Agent = agent({
  name: "reporter",
  model: defaultModel(),
  instructions: "Sum up the unread mail of the day, and mail the summary to the team.",
  connections: ["gmail"],
  tools: [
    "gmail_fetch_mails",
    { ...toolVersions([{ tool: mailTeamNext, share: 0.1 }, mailTeam]), needsApproval: "after-reads" },
  ],
  input: z.object({ team: z.array(z.email()) }),
});
