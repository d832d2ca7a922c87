/**
 * Many users' accounts on one connection, by as few calls as that takes. Scalekit's list filters by one identifier or by none, so the
 * choice is between one call for each user and pages of a hundred accounts across users. Cost follows the accounts, never the runs.
 */
import type { Outage, Surveyed, SurveyedAccount } from "../ports/accounts.ts";
import type { Scalekit } from "./client.ts";
import { outageOf } from "./errors.ts";
import { PAGE_SIZE } from "./pages.ts";
import { seeAccounts, seen } from "./seen.ts";

/** Single users asked about side by side: the client bounds its own calls as well. */
const SINGLES_AT_ONCE = 10;
/** A total older than this is asked for again, by one page. */
const TOTAL_LIVES_MS = 3_600_000;
/** Scalekit says how many there are; a listing far beyond that does not end. */
const MOST_PAGES = 10_000;

/**
 * The cheaper way on. Asked again after each page, so that all together it costs at most the smaller of both, and one call more
 * where the number of accounts was not known.
 * @param sought users not seen yet
 * @param unread accounts of the connection on pages not read yet, as far as known
 */
export function cheaper(sought: number, unread: number | undefined): "page" | "singles" {
  const pages = unread === undefined ? 1 : Math.max(1, Math.ceil(unread / PAGE_SIZE));
  return pages < sought ? "page" : "singles";
}

export type Survey = (connection: string, identifiers: readonly string[]) => AsyncIterable<Surveyed>;

export function createSurvey(scalekit: Scalekit, now: () => number): Survey {
  /** Accounts of each connection in the environment, as last told. */
  const totals = new Map<string, { readonly accounts: number; readonly at: number }>();
  const known = (connection: string): number | undefined => {
    const total = totals.get(connection);
    return total === undefined || now() - total.at > TOTAL_LIVES_MS ? undefined : total.accounts;
  };

  return async function* survey(connection, identifiers) {
    const sought = new Set(identifiers);
    const tokens = new Set<string>();
    let unread = known(connection);
    for (let token = "", read = 0; sought.size > 0;) {
      if (cheaper(sought.size, unread) === "singles") {
        yield* singles(scalekit, connection, [...sought]);
        return;
      }
      const page = await readPage(scalekit, connection, token);
      if ("why" in page) {
        yield page;
        return;
      }
      const accounts = page.accounts.filter(({ identifier }) => sought.delete(identifier));
      if (accounts.length > 0) yield { ok: true, accounts };
      read += page.read;
      totals.set(connection, { accounts: Math.max(page.total, read), at: now() });
      unread = Math.max(0, page.total - read);
      token = page.next;
      // Only who was on no page of the whole listing has no account.
      if (token === "") {
        if (sought.size > 0) yield { ok: true, accounts: Array.from(sought, (who) => none(who, connection)) };
        return;
      }
      if (tokens.has(token) || tokens.size >= MOST_PAGES) {
        yield outageOf(new Error(`a list did not end after ${tokens.size + 1} pages`), "look at accounts");
        return;
      }
      tokens.add(token);
    }
  };
}

interface AccountPage {
  readonly accounts: readonly SurveyedAccount[];
  readonly read: number;
  readonly total: number;
  /** Empty on the last page. */
  readonly next: string;
}

async function readPage(scalekit: Scalekit, connection: string, pageToken: string): Promise<AccountPage | Outage> {
  try {
    const page = await scalekit.ask((sdk) =>
      sdk.actions.listConnectedAccounts({
        connectionNames: [connection],
        pageSize: PAGE_SIZE,
        ...(pageToken !== "" && { pageToken }),
      }),
    );
    const { connectedAccounts: listed, totalSize: total, nextPageToken: next } = page;
    // Whose account it is and of which connection is checked here and not left to the filter.
    const here = listed.filter((account) => account.connector === connection);
    const accounts = here.map((account) => ({ identifier: account.identifier, ...seen(connection, account) }));
    return { accounts, read: listed.length, total, next };
  } catch (error) {
    return outageOf(error, "look at accounts");
  }
}

/** Stops when all of some asked side by side fail: the others would only wait for the same time-outs. */
async function* singles(
  scalekit: Scalekit,
  connection: string,
  identifiers: readonly string[],
): AsyncGenerator<Surveyed> {
  let failed: Outage | undefined;
  for (let i = 0; i < identifiers.length; i += SINGLES_AT_ONCE) {
    const some = identifiers.slice(i, i + SINGLES_AT_ONCE);
    const answers = await Promise.all(some.map((identifier) => seeOne(scalekit, connection, identifier)));
    const accounts = answers.flatMap((answer) => ("why" in answer ? [] : [answer]));
    failed = answers.find((answer) => "why" in answer) ?? failed;
    if (accounts.length === 0) break;
    yield { ok: true, accounts };
  }
  if (failed !== undefined) yield failed;
}

async function seeOne(scalekit: Scalekit, connection: string, identifier: string): Promise<SurveyedAccount | Outage> {
  try {
    const [account] = await seeAccounts(scalekit, identifier, [connection]);
    return account === undefined ? none(identifier, connection) : { identifier, ...account };
  } catch (error) {
    return outageOf(error, "look at accounts");
  }
}

function none(identifier: string, connection: string): SurveyedAccount {
  return { identifier, connection, status: "NONE", accountId: "" };
}
