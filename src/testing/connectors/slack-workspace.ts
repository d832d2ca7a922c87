/** A user's Slack workspace: channels, people, messages and threads. */

export interface SlackUser {
  /** `U…` */
  readonly id: string;
  readonly name: string;
  readonly realName: string;
  readonly email?: string;
  readonly isBot?: boolean;
}

export interface SlackMessage {
  /** Seconds with six decimals, the message's id within its channel. */
  readonly ts: string;
  /** User id. */
  readonly user: string;
  readonly text: string;
  /** `ts` of the message whose thread this is in. */
  readonly threadTs?: string;
  readonly blocks?: unknown;
}

export interface SlackChannel {
  /** `C…` */
  readonly id: string;
  readonly name: string;
  readonly topic?: string;
  readonly isPrivate?: boolean;
  readonly isArchived?: boolean;
  /** Whether the user is in it. Default true. */
  readonly isMember?: boolean;
  readonly messages?: readonly SlackMessage[];
}

export interface SlackData {
  readonly team?: string;
  readonly users?: readonly SlackUser[];
  readonly channels?: readonly SlackChannel[];
}

export interface StoredSlackMessage extends Omit<SlackMessage, "text" | "blocks"> {
  text: string;
  blocks: unknown;
  /** User ids by emoji name. */
  readonly reactions: Map<string, Set<string>>;
}

export interface StoredChannel extends Omit<SlackChannel, "messages" | "isMember"> {
  isMember: boolean;
  readonly messages: StoredSlackMessage[];
}

export class SlackWorkspace {
  /**
   * How a refusal of Slack's reaches the app: Slack answers HTTP 200 with `ok: false`; whether Scalekit makes a tool
   * error of that is not documented. Default `data`: it arrives as data.
   */
  refusals: "data" | "tool-error" = "data";
  team = "T0EMULATOR";
  /** The connected user. */
  readonly self: SlackUser;
  readonly users: Map<string, SlackUser> = new Map();
  readonly channels: Map<string, StoredChannel> = new Map();
  readonly #now: () => number;
  #lastMicros = 0;

  /** @param now Unix milliseconds: dates what the user posts */
  constructor(name: string, now: () => number) {
    this.self = { id: "U0SELF", name, realName: name };
    this.users.set(this.self.id, this.self);
    this.#now = now;
  }

  /** Adds people and channels; those with a known id are replaced. */
  load(data: SlackData): void {
    this.team = data.team ?? this.team;
    for (const user of data.users ?? []) this.users.set(user.id, user);
    for (const channel of data.channels ?? []) {
      const messages = (channel.messages ?? []).map((message) => ({
        ...message,
        blocks: message.blocks,
        reactions: new Map<string, Set<string>>(),
      }));
      const byTime = messages.toSorted((a, b) => Number(a.ts) - Number(b.ts));
      this.channels.set(channel.id, { ...channel, isMember: channel.isMember ?? true, messages: byTime });
    }
  }

  /** By id, or by name with or without `#`. */
  channel(reference: string): StoredChannel | undefined {
    const name = reference.replace(/^#/, "");
    return this.channels.get(reference) ?? [...this.channels.values()].find((channel) => channel.name === name);
  }

  /** Posts as the user. */
  post(channel: StoredChannel, text: string, extra: { threadTs?: string; blocks?: unknown } = {}): StoredSlackMessage {
    // two posts in one millisecond are two messages
    this.#lastMicros = Math.max(this.#now() * 1000, this.#lastMicros + 1);
    const ts = `${Math.floor(this.#lastMicros / 1_000_000)}.${String(this.#lastMicros % 1_000_000).padStart(6, "0")}`;
    const thread = extra.threadTs === undefined ? {} : { threadTs: extra.threadTs };
    const message = {
      ts,
      user: this.self.id,
      text,
      ...thread,
      blocks: extra.blocks,
      reactions: new Map<string, Set<string>>(),
    };
    channel.messages.push(message);
    return message;
  }
}
