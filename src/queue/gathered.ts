/**
 * What a client is told in one round of the event loop leaves in one write. A worker with many runs is told several commands a round, and
 * a write of its own for each costs both sides more than the command itself: a system call, a waking of Redis, an answer that is read
 * alone. Bytes and their order stay the same. A command leaves later by the rest of its round at most, and no answer is read before that.
 *
 * ioredis's enableAutoPipelining is not this: it sends one batch and holds the next until all of its answers are there, and what it leaves
 * out (SCRIPT, MULTI, …) overtakes what it gathers.
 */
import type { Redis } from "ioredis";

/** Changes the client itself, and none that is duplicated from it: those wait, listen, or send pipelines. */
export function gathered(client: Redis): Redis {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    gather(client);
    return send(command, stream);
  };
  return client;
}

function gather({ status, stream }: Redis): void {
  if (status !== "ready" || stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}
