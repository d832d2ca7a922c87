/** The port `Accounts` on Scalekit's connected accounts. Only calls whose answers carry no provider tokens are used. */
import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type ScalekitClient, ScalekitConflictException, ScalekitNotFoundException } from "@scalekit-sdk/node";
import { AuthorizationDetailsSchema } from "@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/connected_accounts/connected_accounts_pb.js";
import type { Accounts, AuthorizationLink, Verified } from "../ports/accounts.ts";
import type { Scalekit } from "./client.ts";
import { outageOf } from "./errors.ts";
import { failureOf } from "./failure.ts";
import { allPages } from "./pages.ts";
import { seeAccounts } from "./seen.ts";
import { createSurvey } from "./sweep.ts";

export { seeAccounts, statusName } from "./seen.ts";

/** How long a link is taken to be good when Scalekit does not tell; it only says that links are "time-limited". */
const LINK_LIFETIME_MS = 10 * 60_000;
/** The most that the list of connections gives at once. */
const CONNECTIONS_PAGE = 30;

export function createAccounts(scalekit: Scalekit, now: () => number = () => Date.now()): Accounts {
  return {
    async look(identifier, connections) {
      try {
        return { ok: true, accounts: await seeAccounts(scalekit, identifier, connections) };
      } catch (error) {
        return outageOf(error, "look at the user's accounts");
      }
    },
    survey: createSurvey(scalekit, now),
    async link(identifier, connection, options) {
      try {
        return await link(scalekit, { identifier, connectionName: connection, ...options }, now);
      } catch (error) {
        return outageOf(error, "make a link");
      }
    },
    verify: (authRequestId, identifier) => verify(scalekit, authRequestId, identifier),
    async connections() {
      try {
        const all = await allPages(async (pageToken) => {
          const page = await scalekit.ask((sdk) =>
            sdk.actions.listConnections({ pageSize: CONNECTIONS_PAGE, ...(pageToken !== "" && { pageToken }) }),
          );
          return { items: page.connections, nextPageToken: page.nextPageToken };
        });
        return { ok: true, names: [...new Set(all.filter((one) => one.enabled).map((one) => one.connectionName))] };
      } catch (error) {
        return outageOf(error, "list the connections");
      }
    },
  };
}

interface LinkRequest {
  readonly identifier: string;
  readonly connectionName: string;
  readonly state: string;
  readonly userVerifyUrl: string;
}

/**
 * The SDK's getOrCreateConnectedAccount answers with the account's live tokens, so an account is created only when the link says
 * that there is none; that somebody else has created it meanwhile is as good.
 */
async function link(scalekit: Scalekit, request: LinkRequest, now: () => number): Promise<AuthorizationLink> {
  const { identifier, connectionName } = request;
  const make = () => scalekit.ask((sdk) => sdk.actions.getAuthorizationLink({ ...request }));
  const made = await make().catch(async (error: unknown) => {
    if (!(error instanceof ScalekitNotFoundException)) throw error;
    await scalekit.ask((sdk) => createEmpty(sdk, identifier, connectionName));
    return make();
  });
  if (made.link === "") throw new Error("the answer holds no link");
  const expiresAt = made.expiry === undefined ? now() + LINK_LIFETIME_MS : timestampMs(made.expiry);
  return { ok: true, url: made.link, expiresAt };
}

async function createEmpty(sdk: ScalekitClient, identifier: string, connectionName: string): Promise<void> {
  try {
    await sdk.actions.createConnectedAccount({
      connectionName,
      identifier,
      authorizationDetails: create(AuthorizationDetailsSchema, { details: { case: "oauthToken", value: {} } }),
    });
  } catch (error) {
    if (!(error instanceof ScalekitConflictException)) throw error;
  }
}

/** Sent once: the SDK would repeat it, and a repeat of a request that was consumed says `gone`. */
async function verify(scalekit: Scalekit, authRequestId: string, identifier: string): Promise<Verified> {
  try {
    const answer = await scalekit.once(
      ({ accounts }, options) => accounts.verifyConnectedAccountUser({ authRequestId, identifier }, options),
      { timeoutMs: scalekit.timeoutMs },
    );
    return { ok: true, redirectUrl: answer.postUserVerifyRedirectUrl };
  } catch (error) {
    const { code, said } = failureOf(error);
    if (said === "server" && code === "PermissionDenied") return { ok: false, why: "mismatch" };
    // Too long an id, or one that never was: no request waits for it.
    if (said === "server" && (code === "NotFound" || code === "InvalidArgument" || code === "FailedPrecondition"))
      return { ok: false, why: "gone" };
    return outageOf(error, "verify the user");
  }
}
