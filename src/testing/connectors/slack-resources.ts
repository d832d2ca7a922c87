/** Channels, people and messages as Slack's API shows them. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { SlackUser, StoredChannel, StoredSlackMessage } from "./slack-workspace.ts";

export function channelResource(channel: StoredChannel): JsonObject {
  return {
    id: channel.id,
    name: channel.name,
    is_channel: true,
    is_private: channel.isPrivate === true,
    is_archived: channel.isArchived === true,
    is_member: channel.isMember,
    topic: { value: channel.topic ?? "" },
  };
}

export function userResource(user: SlackUser): JsonObject {
  const profile: JsonObject = { real_name: user.realName, display_name: user.name };
  if (user.email !== undefined) profile["email"] = user.email;
  return { id: user.id, name: user.name, real_name: user.realName, is_bot: user.isBot === true, profile };
}

export function messageResource(message: StoredSlackMessage, channel: StoredChannel): JsonObject {
  const resource: JsonObject = { type: "message", ts: message.ts, user: message.user, text: message.text };
  if (message.threadTs !== undefined) resource["thread_ts"] = message.threadTs;
  const replies = channel.messages.filter(({ threadTs, ts }) => threadTs === message.ts && ts !== message.ts).length;
  if (replies > 0) Object.assign(resource, { thread_ts: message.ts, reply_count: replies });
  if (message.blocks !== undefined) resource["blocks"] = message.blocks as JsonValue;
  if (message.reactions.size > 0) {
    resource["reactions"] = [...message.reactions].map(([name, users]) => ({
      name,
      users: [...users],
      count: users.size,
    }));
  }
  return resource;
}
