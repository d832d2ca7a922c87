/** What an exchange needs of a vendor's SDK. */
import type { Fault } from "./failure.ts";
import type { Fields } from "./fields.ts";

/** A vendor's SDK, as far as we need it: one POST of JSON, never tried again. */
export interface Transport {
  /** @param timeoutMs longer than the signal's own deadline, which is the one that counts */
  post(path: string, body: Fields | undefined, options: PostOptions): Promise<Posted>;
  /** One GET, likewise; none where no protocol needs it. */
  readonly get?: (path: string, query: Fields, options: PostOptions) => Promise<Posted>;
  /** What the SDK's error says of an HTTP reply; undefined if there was none. */
  refusal(error: unknown): Fault | undefined;
}

export interface PostOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The answer is a `Response` whose body is left unread. */
  readonly unread?: boolean;
}

/** `body`: parsed, or a text if the server called it something else than JSON. */
export interface Posted {
  readonly body: unknown;
  readonly headers: Headers;
}
