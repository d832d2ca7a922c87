/** Slack's search: words, `in:channel` and `from:name`, newest first. */
import type { SlackWorkspace, StoredChannel, StoredSlackMessage } from "./slack-workspace.ts";

export interface Found {
  readonly channel: StoredChannel;
  readonly message: StoredSlackMessage;
}

export function search(workspace: SlackWorkspace, query: string): Found[] {
  const terms = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (channel: StoredChannel, message: StoredSlackMessage, term: string): boolean => {
    if (term.startsWith("in:")) return channel.name === term.slice(3).replace("#", "");
    if (term.startsWith("from:")) return workspace.users.get(message.user)?.name === term.slice(5).replace("@", "");
    return message.text.toLowerCase().includes(term);
  };
  return [...workspace.channels.values()]
    .flatMap((channel) => channel.messages.map((message) => ({ channel, message })))
    .filter(({ channel, message }) => channel.isMember && terms.every((term) => fits(channel, message, term)))
    .toSorted((a, b) => Number(b.message.ts) - Number(a.message.ts));
}
