/** ConnectedAccountService: accounts, links, verification. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { ConnectedAccountService } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import { accountListMessage, accountMessage, type Account } from "./accounts.ts";
import type { Environment } from "./environment.ts";
import { notFound, scalekitError } from "./errors.ts";
import { pageOf } from "./paging.ts";

const LINK_TTL = 10 * 60_000;

export function accountService(env: Environment): Partial<ServiceImpl<typeof ConnectedAccountService>> {
  const { accounts, webhooks } = env;
  return {
    getConnectedAccountAuth: (request) => ({ connectedAccount: accountMessage(accounts.need(request), true) }),
    getConnectedAccountDetails: (request) => ({ connectedAccount: accountMessage(accounts.need(request), false) }),
    getConnectedAccount: (request) => ({ connectedAccount: accountMessage(accounts.need(request), true) }),
    createConnectedAccount: (request) => {
      const connection = env.connection(request.connector);
      if (connection === undefined) throw notFound(`connection ${request.connector ?? ""}`);
      if ((request.identifier ?? "") === "")
        throw scalekitError("InvalidArgument", "INVALID_REQUEST", "identifier is required");
      return { connectedAccount: accountMessage(accounts.create(connection, request.identifier ?? ""), true) };
    },
    updateConnectedAccount: (request) => {
      const account = accounts.need(request);
      const details = request.connectedAccount?.authorizationDetails?.details;
      if (details?.case === "oauthToken" && details.value.accessToken !== "")
        accounts.activate(account, details.value.scopes);
      webhooks.record("connected_account.updated", account);
      return { connectedAccount: accountMessage(account, true) };
    },
    deleteConnectedAccount: (request) => {
      const account = accounts.need(request);
      accounts.delete(account);
      webhooks.record("connected_account.deleted", account);
      return {};
    },
    disconnectConnectedAccount: (request) => {
      const account = accounts.need(request);
      accounts.setStatus(account, "DISCONNECTED");
      return { connectedAccount: accountMessage(account, false) };
    },
    listConnectedAccounts: (request) => {
      if ((request.connector ?? "") !== "" && request.connectionNames.length > 0) {
        const violation = {
          field: "connector",
          constraint: "connector_or_connection_names_not_both",
          description: "connector and connection_names are mutually exclusive",
        };
        throw scalekitError("InvalidArgument", "INVALID_REQUEST", violation.description, [violation]);
      }
      const page = pageOf(
        accounts.all.filter((account) => listed(account, request)),
        request,
      );
      return { ...page, connectedAccounts: page.items.map(accountListMessage) };
    },
    searchConnectedAccounts: (request) => {
      const page = pageOf(
        accounts.all.filter((account) => account.identifier.includes(request.query)),
        request,
      );
      return { ...page, connectedAccounts: page.items.map(accountListMessage) };
    },
    getMagicLinkForConnectedAccount: (request) => {
      const account = accounts.need(request);
      const link = env.links.issue(account, {
        base: env.url,
        ttlMs: env.options.linkTtlMs ?? LINK_TTL,
        state: request.state,
        userVerifyUrl: request.userVerifyUrl,
      });
      if (env.options.newLinkEndsFormer === true) env.links.replaceOthers(link);
      if (env.options.linkMovesToPendingAuth === true && account.status !== "ACTIVE")
        accounts.setStatus(account, "PENDING_AUTH");
      webhooks.record("connected_account.magic_link_generated", account);
      env.bus.emit("link", link.issued);
      return { link: link.issued.link, expiry: timestampFromMs(link.issued.expiresAt) };
    },
    verifyConnectedAccountUser: (request) => {
      const { account, scopes } = env.links.verify(request.authRequestId, request.identifier);
      accounts.activate(account, scopes);
      return { postUserVerifyRedirectUrl: env.options.postVerifyUrl ?? `${env.url}/connect/success` };
    },
  };
}

interface ListFilter {
  readonly connector?: string | undefined;
  readonly connectionNames: readonly string[];
  readonly identifier?: string | undefined;
  readonly provider: string;
  readonly query: string;
}

function listed(account: Account, { connector, connectionNames, identifier, provider, query }: ListFilter): boolean {
  const { name, connector: kind } = account.connection;
  return (
    ((connector ?? "") === "" || connector === name) &&
    (connectionNames.length === 0 || connectionNames.includes(name)) &&
    ((identifier ?? "") === "" || identifier === account.identifier) &&
    (provider === "" || provider === kind.provider) &&
    account.identifier.includes(query)
  );
}
