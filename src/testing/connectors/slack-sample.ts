/** A small workspace to summarise: mentions, a thread, a bot, a private and an archived channel. */
import type { SlackData } from "./slack-workspace.ts";

export const SLACK_SAMPLE: SlackData = {
  team: "T0HILLS",
  users: [
    { id: "U01ANN", name: "ann", realName: "Ann Lee", email: "ann@hills.example" },
    { id: "U02BEN", name: "ben", realName: "Ben Okafor", email: "ben@hills.example" },
    { id: "U03CI", name: "buildbot", realName: "Build Bot", isBot: true },
  ],
  channels: [
    {
      id: "C01GENERAL",
      name: "general",
      topic: "Everything",
      messages: [
        {
          ts: "1772438400.000100",
          user: "U01ANN",
          text: "Good morning. <@U02BEN> the roof is leaking again in room 4.",
        },
        { ts: "1772438520.000200", user: "U02BEN", text: "I call the roofer.", threadTs: "1772438400.000100" },
        { ts: "1772438700.000300", user: "U02BEN", text: "He comes Thursday at 8.", threadTs: "1772438400.000100" },
        { ts: "1772442000.000400", user: "U01ANN", text: "Reminder: the office is closed on Friday &amp; Monday." },
      ],
    },
    {
      id: "C02RELEASES",
      name: "releases",
      messages: [
        { ts: "1772445779.000100", user: "U03CI", text: ":x: build 4411 of `main` failed in step *test*" },
        { ts: "1772446000.000200", user: "U02BEN", text: "That is mine, fix is in <https://git.example/pr/12|PR 12>." },
      ],
    },
    { id: "C03BOARD", name: "board", isPrivate: true, messages: [] },
    { id: "C04ANNOUNCE", name: "announcements", isMember: false },
    { id: "C05OLD", name: "old-office", isArchived: true },
  ],
};
