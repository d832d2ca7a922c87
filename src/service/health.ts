/** Probes for whoever runs the process. Live asks nothing of Redis: a Redis that is down is no reason to kill workers that wait for it. */
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import type { ErrandWorker } from "../queue/crew.ts";

/**
 * `GET /livez`: the event loop turns. `GET /readyz`: started, not draining, and Redis answers; otherwise 503 and the reason.
 * `clockSkewMs`: how far this clock is ahead of Redis's; it makes no process unready, because Redis's is the one that decides.
 * Carries no user data and needs no authentication; bind it to where your probes come from.
 */
export function healthHandler(worker: ErrandWorker): (request: Request) => Promise<Response> {
  const app = new Hono();
  app.get("/livez", (c) => c.json({ ok: true }));
  app.get("/healthz", (c) => c.redirect("/readyz"));
  app.get("/readyz", async (c) => {
    const { state } = worker;
    const redis = await worker.reachable();
    const ok = state === "ready" && redis;
    const { clockSkewMs } = worker;
    return c.json({ ok, state, redis, ...(clockSkewMs !== undefined && { clockSkewMs }) }, ok ? 200 : 503);
  });
  return async (request) => app.fetch(request);
}

export interface HealthServer {
  readonly port: number;
  close(): void;
}

/** @param options.host default 127.0.0.1: a container's own health check runs inside it; probes from outside need another. */
export async function serveHealth(
  worker: ErrandWorker,
  options: { readonly port?: number; readonly host?: string } = {},
): Promise<HealthServer> {
  const listener = getRequestListener(healthHandler(worker));
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
