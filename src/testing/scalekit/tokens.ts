/** Access tokens of the app itself (client credentials). */
import { randomBytes } from "node:crypto";

export class Tokens {
  readonly #expiry = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  issue(ttlMs: number): string {
    const token = `emu_${randomBytes(24).toString("base64url")}`;
    this.#expiry.set(token, this.#now() + ttlMs);
    return token;
  }

  /** @param header the Authorization header */
  valid(header: string | null | undefined): boolean {
    const token = /^Bearer (.+)$/.exec(header ?? "")?.[1];
    return token !== undefined && (this.#expiry.get(token) ?? 0) > this.#now();
  }

  /** All tokens given out so far are no longer good. */
  expireAll(): void {
    this.#expiry.clear();
  }
}
