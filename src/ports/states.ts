/** What a user's way out to a provider leaves with us: a link that was made for them, and the OAuth `state` that they bring back. */
export interface AuthorizationState {
  readonly identifier: string;
  readonly connection: string;
}

/** One user's way to one connection, and where it comes back to: those who share this share a link. */
export interface AuthorizationRequest extends AuthorizationState {
  readonly returnTo: string;
}

export interface MadeLink {
  readonly stateHash: string;
  /** Bears the user's consent. It is kept for as long as it may be given to the same user again, and no longer. */
  readonly url: string;
  /** Wall-clock ms. */
  readonly expiresAt: number;
}

/**
 * `link`: there is one for this user that works. `make`: the caller makes one, and says `keep` or `giveUp`. `busy`: somebody is
 * making one just now; ask again.
 */
export type LinkTurn = { readonly kind: "link"; readonly url: string } | { readonly kind: "make" | "busy" };

export interface ReturnedState extends AuthorizationState {
  /** It was taken before, by somebody else. */
  readonly used: boolean;
}

/**
 * Contract: states are stored hashed, used once, and gone when they expire. A nonce tells a caller from all others, so that each
 * of these may be sent twice. They throw when the store cannot be reached.
 */
export interface AuthorizationStates {
  begin(request: AuthorizationRequest, nonce: string): Promise<LinkTurn>;
  keep(request: AuthorizationRequest, link: MadeLink): Promise<void>;
  giveUp(request: AuthorizationRequest, nonce: string): Promise<void>;
  /** Uses the state up, and takes its link away: whoever clicks next gets a new one. */
  take(stateHash: string, nonce: string): Promise<ReturnedState | undefined>;
}
