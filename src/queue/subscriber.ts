/** A connection that listens to channels. All it hears are hints: what is published while it is away is lost. */
import type { Redis } from "ioredis";

export interface SubscriberOptions {
  readonly onMessage: (channel: string, message: string) => void;
  /** Told what goes wrong until `close`. */
  readonly onError: (error: Error) => void;
}

export interface Subscriber {
  /** Resolves when it listens: what is published from then on is heard. Rejects when it was closed meanwhile. */
  add(channel: string): Promise<void>;
  remove(channel: string): Promise<void>;
  close(): void;
}

export function openSubscriber(redis: Redis, { onMessage, onError }: SubscriberOptions): Subscriber {
  const channels = new Set<string>();
  // ioredis would subscribe again by itself, but nobody hears when that fails: a connection that is closed just then ends the whole
  // process by an unhandled rejection (ioredis 6.0, redis/event_handler.js).
  const client = redis.duplicate({ lazyConnect: false, maxRetriesPerRequest: null, autoResubscribe: false });
  let closed = false;
  const failed = (error: unknown): void => {
    if (!closed && error instanceof Error) onError(error);
  };
  client.on("error", failed);
  client.on("message", onMessage);
  client.on("ready", () => {
    if (channels.size > 0) client.subscribe(...channels).catch(failed);
  });
  return {
    add: async (channel) => {
      channels.add(channel);
      await client.subscribe(channel);
    },
    remove: async (channel) => {
      channels.delete(channel);
      await client.unsubscribe(channel);
    },
    close: () => {
      closed = true;
      client.disconnect();
    },
  };
}
