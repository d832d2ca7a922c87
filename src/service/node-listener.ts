/** The bridge to servers that speak Node's own requests: Express, Fastify, node:http. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";

/**
 * One of Errand's handlers for a server of node:http, or for a router on top of it: `app.use("/errand", nodeListener(handler))`.
 * A body that a parser has read before cannot be read again: mount the webhook ahead of `express.json()` and its kind.
 */
export function nodeListener(
  handler: (request: Request) => Promise<Response>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const listener = getRequestListener(handler);
  return async (request, response) => {
    await listener(request, response);
  };
}
