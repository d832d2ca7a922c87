/** What Scalekit's list says about accounts, in our words. */
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type ConnectedAccountForList,
  ConnectorStatus,
} from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import type { AccountStatus } from "../core/run.ts";
import type { SeenAccount } from "../core/waiting.ts";
import type { Scalekit } from "./client.ts";
import { allPages, chunks, PAGE_SIZE } from "./pages.ts";

/** One for each connection, in the order asked. @throws what `ask` throws */
export async function seeAccounts(
  scalekit: Scalekit,
  identifier: string,
  connections: readonly string[],
): Promise<SeenAccount[]> {
  const listed = await Promise.all(
    chunks(connections).map((names) =>
      allPages(async (pageToken) => {
        const page = await scalekit.ask((sdk) =>
          sdk.actions.listConnectedAccounts({
            identifier,
            connectionNames: [...names],
            pageSize: PAGE_SIZE,
            ...(pageToken !== "" && { pageToken }),
          }),
        );
        return { items: page.connectedAccounts, nextPageToken: page.nextPageToken };
      }),
    ),
  );
  // Whose account it is, is checked here and not left to the filter: a run must never see another user's.
  const mine = listed.flat().filter((account) => account.identifier === identifier);
  return connections.map((connection) => {
    const here = mine.filter((account) => account.connector === connection);
    const account = here.find((one) => one.status === ConnectorStatus.ACTIVE) ?? here[0];
    return account === undefined ? { connection, status: "NONE", accountId: "" } : seen(connection, account);
  });
}

export function seen(connection: string, { id, status, updatedAt }: ConnectedAccountForList): SeenAccount {
  const change = updatedAt === undefined ? {} : { updatedAt: timestampMs(updatedAt) };
  return { connection, accountId: id, status: statusName(status), ...change };
}

/** Numbers that this SDK does not know are not ACTIVE. */
export function statusName(status: number): AccountStatus {
  switch (status) {
    case ConnectorStatus.ACTIVE:
      return "ACTIVE";
    case ConnectorStatus.EXPIRED:
      return "EXPIRED";
    case ConnectorStatus.PENDING_AUTH:
      return "PENDING_AUTH";
    case ConnectorStatus.PENDING_VERIFICATION:
      return "PENDING_VERIFICATION";
    case ConnectorStatus.DISCONNECTED:
      return "DISCONNECTED";
    default:
      return "UNSPECIFIED";
  }
}
