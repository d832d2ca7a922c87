/** Names of gates. A gate's name is a key in the store and stands in indexes; both parts are escaped, so no name runs into another. */

/** The gate of one user's account on one connection. */
export function accountGate(identifier: string, connection: string): string {
  return `account/${encodeURIComponent(identifier)}/${encodeURIComponent(connection)}`;
}

export interface AccountGate {
  readonly identifier: string;
  readonly connection: string;
}

/** The account a gate belongs to, or nothing for a gate of another kind. */
export function parseAccountGate(gate: string): AccountGate | undefined {
  const [kind, identifier, connection] = gate.split("/");
  if (kind !== "account" || identifier === undefined || connection === undefined) return undefined;
  return { identifier: decodeURIComponent(identifier), connection: decodeURIComponent(connection) };
}

/** Where a run waits for a person's word before a call is made. It is opened by the decision, and only for this run. */
export function approvalGate(run: string): string {
  return `approval/${run}`;
}

/** Where a run waits for a person's word on a call whose outcome nobody knows. It is opened by the answer, and only for this run. */
export function reviewGate(run: string): string {
  return `review/${run}`;
}
