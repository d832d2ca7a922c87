/** How one account stands, told in words where it cannot be told: for the app's pages and for people at a terminal. */
import { ErrandError } from "../core/errors.ts";
import { checkIdentifier } from "../core/identifier.ts";
import { didYouMean } from "../core/nearest.ts";
import type { SeenAccount } from "../core/waiting.ts";
import type { Accounts, Outage } from "../ports/accounts.ts";

/** @throws ErrandError `identifier-invalid`, `connection-unknown`, `scalekit-auth`, `scalekit-unavailable` */
export async function accountStatus(accounts: Accounts, identifier: string, connection: string): Promise<SeenAccount> {
  checkIdentifier(identifier);
  const looked = await accounts.look(identifier, [connection]);
  const [seen] = looked.ok ? looked.accounts : [];
  if (seen !== undefined && seen.status !== "NONE") return seen;
  // No account, or no such connection: a wrong name may be told in either way.
  const listed = await accounts.connections();
  if (!listed.ok) throw outageError(listed);
  if (!listed.names.includes(connection)) throw unknownConnection(connection, listed.names);
  if (!looked.ok) throw outageError(looked);
  return seen ?? { connection, status: "NONE", accountId: "" };
}

function unknownConnection(connection: string, known: readonly string[]): ErrandError {
  const told = known.length === 0 ? "It has none that is enabled." : `Known: ${known.join(", ")}.`;
  return new ErrandError(
    "connection-unknown",
    `Scalekit has no connection ${JSON.stringify(connection)} in this environment.${didYouMean(connection, known)} ${told}`,
  );
}

export function outageError({ why, message }: Outage): ErrandError {
  return new ErrandError(why === "credentials" ? "scalekit-auth" : "scalekit-unavailable", message);
}
