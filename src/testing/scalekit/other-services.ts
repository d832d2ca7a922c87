/** ConnectionService (the list of configured connections) and EventsService (what happened, newest first). */
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  ConnectionStatus,
  ConnectionType,
  type ConnectionService,
} from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connections/connections_pb.js";
import {
  ObjectType,
  ScalekitEventSchema,
  type EventFilter,
  type EventsService,
} from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/events/events_pb.js";
import type { Environment } from "./environment.ts";
import { pageOf } from "./paging.ts";
import type { LoggedEvent } from "./webhooks.ts";

export function connectionService(env: Environment): Partial<ServiceImpl<typeof ConnectionService>> {
  return {
    listAppConnections: (request) => {
      const { provider = "", query = "" } = request;
      const wanted = env.connections.filter(
        ({ name, connector }) =>
          (provider === "" || connector.provider === provider.toUpperCase()) && name.includes(query),
      );
      const page = pageOf(wanted, request);
      const connections = page.items.map(({ id, name, connector }) => ({
        id,
        keyId: name,
        providerKey: connector.provider,
        type: ConnectionType.OAUTH,
        status: ConnectionStatus.COMPLETED,
        enabled: true,
        createdAt: timestampFromMs(0),
      }));
      return { ...page, connections };
    },
  };
}

export function eventsService(env: Environment): Partial<ServiceImpl<typeof EventsService>> {
  return {
    listEventsPaginated: (request) => {
      const page = pageOf(env.webhooks.log.filter((event) => wanted(event, request.filter)).toReversed(), request);
      const events = page.items.map((event) =>
        create(ScalekitEventSchema, {
          specVersion: "1",
          id: event.id,
          type: event.type,
          occurredAt: timestampFromMs(event.at),
          environmentId: "env_emulator",
          object: ObjectType.ConnectedAccount,
          data: event.data,
        }),
      );
      return { events, nextPageToken: page.nextPageToken, prevPageToken: page.prevPageToken };
    },
  };
}

function wanted(event: LoggedEvent, filter: EventFilter | undefined): boolean {
  if (filter === undefined) return true;
  const { eventTypes, connectedAccountId = "", startTime, endTime } = filter;
  return (
    (eventTypes.length === 0 || eventTypes.includes(event.type)) &&
    (connectedAccountId === "" || event.data["id"] === connectedAccountId) &&
    (startTime === undefined || event.at >= timestampMs(startTime)) &&
    (endTime === undefined || event.at <= timestampMs(endTime))
  );
}
