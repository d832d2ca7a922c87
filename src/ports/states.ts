/** What an OAuth `state` stands for while a user is away at the provider. Contract: stored hashed, used once, gone when it expires. */
export interface AuthorizationState {
  readonly identifier: string;
  readonly connection: string;
}

export interface AuthorizationStates {
  /** @param expiresAt wall-clock ms */
  put(stateHash: string, state: AuthorizationState & { readonly expiresAt: number }): Promise<void>;
  /** Takes it away: a second call finds nothing. */
  take(stateHash: string): Promise<AuthorizationState | undefined>;
}
