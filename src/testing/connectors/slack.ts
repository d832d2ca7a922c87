/** Slack's tools on a SlackWorkspace. Outputs are Slack's own: `ok`, snake_case, cursors in `response_metadata`. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { defineConnector, type Connector, type ToolSpec } from "./connector.ts";
import { ToolFailure } from "./failure.ts";
import { flag, integer, text } from "./input.ts";
import { Refusal, slackProxy } from "./slack-proxy.ts";
import { channelResource, messageResource, userResource } from "./slack-resources.ts";
import { search } from "./slack-search.ts";
import { SlackWorkspace, type StoredChannel, type StoredSlackMessage } from "./slack-workspace.ts";

const CHANNEL: JsonObject = { type: "string", description: "Channel id (C…) or name" };
const TS: JsonObject = { type: "string", description: "The message's ts" };
const PAGE: Readonly<Record<string, JsonObject>> = {
  limit: { type: "integer", description: "How many at most: 1 to 200, default 100" },
  cursor: { type: "string", description: "next_cursor of the page before" },
};
const SPAN: Readonly<Record<string, JsonObject>> = {
  oldest: { type: "string", description: "Only messages after this ts" },
  latest: { type: "string", description: "Only messages before this ts" },
};
const POST: Readonly<Record<string, JsonObject>> = {
  channel: CHANNEL,
  text: { type: "string", description: "The message" },
  thread_ts: { type: "string", description: "ts of the message to answer in a thread" },
};

const TOOLS: readonly ToolSpec<SlackWorkspace>[] = [
  {
    name: "slack_auth_test",
    description: "Tell who the connected user is.",
    parameters: {},
    run: (_input, { self, team }) => ({ ok: true, user_id: self.id, user: self.name, team_id: team }),
  },
  {
    name: "slack_list_channels",
    description: "List channels.",
    parameters: {
      types: { type: "string", description: "public_channel (default), private_channel, or both with a comma between" },
      exclude_archived: { type: "boolean", description: "Whether archived channels are left out" },
      ...PAGE,
    },
    run(input, workspace) {
      const types = (text(input, "types") ?? "public_channel").split(",").map((type) => type.trim());
      const wanted = [...workspace.channels.values()].filter(
        (channel) =>
          types.includes(channel.isPrivate === true ? "private_channel" : "public_channel") &&
          !(flag(input, "exclude_archived") && channel.isArchived === true),
      );
      const page = paged(input, wanted);
      return { ok: true, channels: page.items.map(channelResource), ...page.rest };
    },
  },
  {
    name: "slack_get_conversation_info",
    description: "Get one channel.",
    parameters: { channel: CHANNEL },
    required: ["channel"],
    run: (input, workspace) => ({ ok: true, channel: channelResource(needChannel(input, workspace)) }),
  },
  {
    name: "slack_join_conversation",
    description: "Join a channel.",
    parameters: { channel: CHANNEL },
    required: ["channel"],
    run(input, workspace) {
      const channel = needChannel(input, workspace);
      if (channel.isArchived === true) throw new Refusal("is_archived");
      channel.isMember = true;
      return { ok: true, channel: channelResource(channel) };
    },
  },
  {
    name: "slack_list_users",
    description: "List people.",
    parameters: PAGE,
    run(input, workspace) {
      const page = paged(input, [...workspace.users.values()]);
      return { ok: true, members: page.items.map(userResource), ...page.rest };
    },
  },
  {
    name: "slack_get_user_info",
    description: "Get one person by user id, as in <@U…> of a message.",
    parameters: { user: { type: "string", description: "User id (U…)" } },
    required: ["user"],
    run(input, workspace) {
      const user = workspace.users.get(text(input, "user") ?? "");
      if (user === undefined) throw new Refusal("user_not_found");
      return { ok: true, user: userResource(user) };
    },
  },
  {
    name: "slack_lookup_user_by_email",
    description: "Find a person by email address.",
    parameters: { email: { type: "string", description: "Email address" } },
    required: ["email"],
    run(input, workspace) {
      const user = [...workspace.users.values()].find(({ email }) => email === text(input, "email"));
      if (user === undefined) throw new Refusal("users_not_found");
      return { ok: true, user: userResource(user) };
    },
  },
  {
    name: "slack_fetch_conversation_history",
    description: "Get a channel's messages, newest first, without the answers in threads.",
    parameters: { channel: CHANNEL, ...SPAN, ...PAGE },
    required: ["channel"],
    run(input, workspace) {
      const channel = memberOf(needChannel(input, workspace));
      const roots = channel.messages.filter(({ threadTs, ts }) => threadTs === undefined || threadTs === ts);
      const page = paged(input, within(input, roots).toReversed());
      return { ok: true, messages: page.items.map((message) => messageResource(message, channel)), ...page.rest };
    },
  },
  {
    name: "slack_get_conversation_replies",
    description: "Get a thread, oldest first: the message and its answers.",
    parameters: { channel: CHANNEL, ts: TS, ...SPAN, ...PAGE },
    required: ["channel", "ts"],
    run(input, workspace) {
      const channel = memberOf(needChannel(input, workspace));
      const ts = text(input, "ts");
      const thread = channel.messages.filter((message) => message.ts === ts || message.threadTs === ts);
      if (thread.length === 0) throw new Refusal("thread_not_found");
      const page = paged(input, within(input, thread));
      return { ok: true, messages: page.items.map((message) => messageResource(message, channel)), ...page.rest };
    },
  },
  {
    name: "slack_search_messages",
    description: "Search messages in all channels.",
    parameters: {
      query: { type: "string", description: "Words; also in:channel and from:name" },
      count: { type: "integer", description: "How many at most: 1 to 100, default 20" },
      page: { type: "integer", description: "Which page, from 1" },
    },
    required: ["query"],
    run(input, workspace) {
      const found = search(workspace, text(input, "query") ?? "");
      const count = integer(input, "count", 20, [1, 100]);
      const page = integer(input, "page", 1, [1, 10_000]);
      const matches = found.slice((page - 1) * count, page * count).map(({ channel, message }) => ({
        ...messageResource(message, channel),
        channel: { id: channel.id, name: channel.name },
      }));
      return { ok: true, query: text(input, "query") ?? "", messages: { total: found.length, matches } };
    },
  },
  {
    name: "slack_send_message",
    description: "Post a message to a channel.",
    parameters: { ...POST, blocks: { type: "string", description: "Blocks, as JSON text" } },
    required: ["channel", "text"],
    versioned: true,
    run(input, workspace) {
      const blocks = text(input, "blocks");
      return post(input, workspace, blocks === undefined ? undefined : parseBlocks(blocks));
    },
  },
  {
    name: "slack_send_rich_message",
    description: "Post a message with blocks to a channel.",
    parameters: { ...POST, blocks: { type: "array", items: { type: "object" }, description: "Blocks" } },
    required: ["channel", "text"],
    run: (input, workspace) => post(input, workspace, input["blocks"]),
  },
  {
    name: "slack_update_message",
    description: "Change a message of one's own.",
    parameters: { channel: CHANNEL, ts: TS, text: { type: "string", description: "The new text" } },
    required: ["channel", "ts"],
    run(input, workspace) {
      const channel = memberOf(needChannel(input, workspace));
      const message = needMessage(input, channel, "ts");
      if (message.user !== workspace.self.id) throw new Refusal("cant_update_message");
      message.text = text(input, "text") ?? message.text;
      return { ok: true, channel: channel.id, ts: message.ts, text: message.text };
    },
  },
  {
    name: "slack_delete_message",
    description: "Delete a message of one's own.",
    parameters: { channel: CHANNEL, ts: TS },
    required: ["channel", "ts"],
    run(input, workspace) {
      const channel = memberOf(needChannel(input, workspace));
      const message = needMessage(input, channel, "ts");
      if (message.user !== workspace.self.id) throw new Refusal("cant_delete_message");
      channel.messages.splice(channel.messages.indexOf(message), 1);
      return { ok: true, channel: channel.id, ts: message.ts };
    },
  },
  {
    name: "slack_add_reaction",
    description: "Add an emoji to a message.",
    parameters: { channel: CHANNEL, timestamp: TS, name: { type: "string", description: "The emoji's name" } },
    required: ["channel", "timestamp", "name"],
    run(input, workspace) {
      const message = needMessage(input, memberOf(needChannel(input, workspace)), "timestamp");
      const name = text(input, "name") ?? "";
      const users = message.reactions.get(name) ?? new Set();
      if (users.has(workspace.self.id)) throw new Refusal("already_reacted");
      message.reactions.set(name, users.add(workspace.self.id));
      return { ok: true };
    },
  },
];

export const slack: Connector = defineConnector<SlackWorkspace>({
  name: "slack",
  title: "Slack",
  scopes: ["channels:read", "channels:history", "users:read", "chat:write", "search:read", "reactions:write"],
  tools: TOOLS.map((tool) => ({ ...tool, run: (input, workspace) => answer(tool, input, workspace) })),
  world: ({ identifier, now }) => new SlackWorkspace(identifier, now),
  proxy: slackProxy(TOOLS),
});

async function answer(
  tool: ToolSpec<SlackWorkspace>,
  input: JsonObject,
  workspace: SlackWorkspace,
): Promise<JsonObject> {
  try {
    return await tool.run(input, workspace);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (workspace.refusals === "tool-error") throw new ToolFailure(400, error.message, error.message);
    return { ok: false, error: error.message };
  }
}

function needChannel(input: JsonObject, workspace: SlackWorkspace): StoredChannel {
  const channel = workspace.channel(text(input, "channel") ?? "");
  if (channel === undefined) throw new Refusal("channel_not_found");
  return channel;
}

function memberOf(channel: StoredChannel): StoredChannel {
  if (!channel.isMember) throw new Refusal("not_in_channel");
  return channel;
}

function needMessage(input: JsonObject, channel: StoredChannel, parameter: string): StoredSlackMessage {
  const message = channel.messages.find(({ ts }) => ts === text(input, parameter));
  if (message === undefined) throw new Refusal("message_not_found");
  return message;
}

function post(input: JsonObject, workspace: SlackWorkspace, blocks: JsonValue | undefined): JsonObject {
  const channel = memberOf(needChannel(input, workspace));
  if (channel.isArchived === true) throw new Refusal("is_archived");
  const threadTs = text(input, "thread_ts");
  const extra = { ...(threadTs === undefined ? {} : { threadTs }), ...(blocks === undefined ? {} : { blocks }) };
  const message = workspace.post(channel, text(input, "text") ?? "", extra);
  return { ok: true, channel: channel.id, ts: message.ts, message: messageResource(message, channel) };
}

function parseBlocks(blocks: string): JsonValue {
  try {
    return JSON.parse(blocks) as JsonValue;
  } catch {
    throw new Refusal("invalid_blocks");
  }
}

function within<M extends { readonly ts: string }>(input: JsonObject, messages: readonly M[]): readonly M[] {
  const oldest = Number(text(input, "oldest") ?? 0);
  const latest = Number(text(input, "latest") ?? Number.POSITIVE_INFINITY);
  return messages.filter(({ ts }) => Number(ts) > oldest && Number(ts) < latest);
}

/** Slack's paging: an opaque cursor, empty on the last page. */
function paged<T>(input: JsonObject, all: readonly T[]): { items: readonly T[]; rest: JsonObject } {
  const size = integer(input, "limit", 100, [1, 200]);
  const start = Number(
    Buffer.from(text(input, "cursor") ?? "", "base64url")
      .toString()
      .replace("next:", ""),
  );
  if (!Number.isInteger(start)) throw new Refusal("invalid_cursor");
  const more = start + size < all.length;
  const cursor = more ? Buffer.from(`next:${start + size}`).toString("base64url") : "";
  return {
    items: all.slice(start, start + size),
    rest: { has_more: more, response_metadata: { next_cursor: cursor } },
  };
}
