/** A replica of a test's Redis, over a link that can be slow or dead. */
import type { TestContext } from "node:test";
import type { Redis } from "ioredis";
import { type RedisServer, startRedis } from "../../src/testing/redis.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { client } from "./lab.ts";

export interface Replica {
  readonly server: RedisServer;
  readonly direct: Redis;
  /** From the replica to its primary. */
  readonly link: TcpProxy;
  promote(): Promise<void>;
}

/** Primaries of replicas start their copies at once, instead of waiting for more replicas. */
export const PRIMARY = { "repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1" } as const;

/** Resolves when it has all that was written before. */
export async function startReplica(t: TestContext, primary: RedisServer): Promise<Replica> {
  const [server, link] = await Promise.all([
    startRedis({ config: PRIMARY }),
    startTcpProxy({ host: "127.0.0.1", port: primary.port }),
  ]);
  const direct = client(server);
  const asking = client(primary);
  t.after(async () => {
    direct.disconnect();
    await Promise.all([server.stop(), link.close()]);
  });
  await direct.replicaof("127.0.0.1", link.port);
  await replicated(asking);
  asking.disconnect();
  return { server, direct, link, promote: async () => void (await direct.replicaof("NO", "ONE")) };
}

/** Resolves when a replica has all that is written by now. */
export async function replicated(primary: Redis): Promise<void> {
  await primary.set("replicated", "1");
  if ((await primary.wait(1, 10_000)) === 0) throw new Error("no replica came within 10 s");
}
