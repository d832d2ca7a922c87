/**
 * One cleartext port on loopback for both protocols of the SDK: gRPC over HTTP/2 with prior knowledge, and HTTP/1.1.
 * node:http2 in clear text cannot serve HTTP/1.1, so the first bytes of a connection decide.
 */
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { createContextValues, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ConnectedAccountService } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import { ConnectionService } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connections/connections_pb.js";
import { EventsService } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/events/events_pb.js";
import { ToolService } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/tools/tools_pb.js";
import { accountService } from "./account-service.ts";
import type { Environment } from "./environment.ts";
import { gate, HTTP2_REQUEST } from "./gate.ts";
import { handleHttp } from "./http-routes.ts";
import { connectionService, eventsService } from "./other-services.ts";
import { isHttp2Preface } from "./preface.ts";
import { toolService } from "./tool-service.ts";

export interface RunningServer {
  readonly port: number;
  /** Ends all connections; new ones are taken. */
  dropConnections(): void;
  close(): Promise<void>;
}

export async function listen(env: Environment, port: number): Promise<RunningServer> {
  const sockets = new Set<Socket>();
  const http2 = createHttp2Server(rpcHandler(env));
  http2.on("sessionError", () => undefined);
  const http = createHttpServer((request, response) => {
    handleHttp(env, request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy();
      response.writeHead(500, { "content-type": "text/plain" });
      response.end(error instanceof Error ? error.message : String(error));
    });
  });
  const front = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.once("readable", () => {
      const first: unknown = socket.read();
      if (!(first instanceof Buffer)) return;
      socket.unshift(first);
      (isHttp2Preface(first) ? http2 : http).emit("connection", socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    front.once("error", reject);
    front.listen(port, "127.0.0.1", resolve);
  });
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (front.address() as AddressInfo).port,
    dropConnections,
    async close() {
      await new Promise<void>((resolve) => {
        front.close(() => resolve());
        dropConnections();
      });
    },
  };
}

function rpcHandler(env: Environment) {
  return connectNodeAdapter({
    routes(router: ConnectRouter): void {
      router.service(ConnectedAccountService, accountService(env));
      router.service(ToolService, toolService(env));
      router.service(ConnectionService, connectionService(env));
      router.service(EventsService, eventsService(env));
    },
    interceptors: [gate(env)],
    contextValues: (request) => createContextValues().set(HTTP2_REQUEST, "stream" in request ? request : undefined),
    grpc: true,
    connect: false,
    grpcWeb: false,
  });
}
