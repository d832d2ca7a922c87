/** Limits that all workers share. Contract: taken at most once for each nonce, however often it is asked. Throws when the store does. */
export interface Rates {
  /** @returns ms to wait before asking again; 0: go on */
  take(profile: string, nonce: string): Promise<number>;
}
