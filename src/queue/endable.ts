/**
 * A client of ioredis that ends when it is told to, also while it waits for its next attempt to connect. ioredis 6 then only clears its
 * timer, nothing is left that could close, and `end` never comes (redis/ioredis#2169): BullMQ's `worker.close()` waits for it for ever
 * (taskforcesh/bullmq#4656), and a worker that is told to stop while Redis is away never does.
 */
import type { Redis } from "ioredis";

/** Changes the client itself, and all that are duplicated from it. */
export function endable(client: Redis): Redis {
  const disconnect = client.disconnect.bind(client);
  const duplicate = client.duplicate.bind(client);
  client.disconnect = (reconnect = false) => {
    const waits = client.status === "reconnecting" && !reconnect;
    disconnect(reconnect);
    if (!waits) return;
    // An attempt that is given up before it reaches the network ends the client, and rejects what waited for it.
    client.connect().catch(() => undefined);
    disconnect();
  };
  client.duplicate = ((override) => endable(duplicate(override) as Redis)) as Redis["duplicate"];
  return client;
}
