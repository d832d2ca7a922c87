/** A wish for a look at an account, soon. It is a hint: the look reads the truth, and only the truth lets runs go on. */
export interface AskedAccount {
  readonly identifier: string;
  /** Nothing when who tells of it does not know: each of this user's accounts that runs wait for. */
  readonly connection?: string;
}

/**
 * Contract: what was asked outlives the caller, and many wishes for one account become few looks. Throws when the store cannot be
 * reached: then the wish is lost unless it is told again.
 */
export interface Looks {
  /** @param message what tells of it; the second time it is told is the first time. @returns whether it was new, and somebody is to look */
  ask(account: AskedAccount, message: string): Promise<boolean>;
}
