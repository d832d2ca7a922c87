/** What a tool of the app's own is given beside its input. */
import type { Json } from "./json.ts";
import type { AccountStatus } from "./run.ts";
import { isValidEmail, formatDate } from "./tool-utils.ts";
import { BusinessLogicError, ExternalAPIError, ValidationError } from "./tool-errors.ts";

export interface ToolContext {
  /** On whose behalf the run acts. */
  readonly identifier: string;
  readonly run: string;
  /** The call's id within the run. */
  readonly call: string;
  /** The same for every attempt of this call, different for any other: for providers that drop repeats. */
  readonly idempotencyKey: string;
  /** Aborted at the time-out, when the worker stops, and, for a tool that only reads, when the run is cancelled. */
  readonly signal: AbortSignal;
  readonly tools: {
    /**
     * Calls another tool of the run. Each such call has its own place in the journal: if this tool runs again, it gets what the call
     * has left, and the call is not made a second time.
     * @throws ToolCallError when it failed
     */
    readonly execute: <T = Json>(request: ExecuteRequest) => Promise<T>;
  };
  readonly accounts: {
    /** @throws ValidationError when it is none of this run's accounts */
    readonly get: (id: string) => Promise<ToolAccount>;
    /** @throws ValidationError for another identifier than the run's */
    readonly list: (filter?: {
      readonly identifier?: string;
      readonly provider?: string;
    }) => Promise<readonly ToolAccount[]>;
  };
  readonly utils: ToolUtils;
  readonly errors: ToolErrors;
}

export interface ExecuteRequest {
  readonly tool: string;
  readonly parameters?: unknown;
  /** One of this run's accounts; by default the one of the tool's connection. */
  readonly connected_account_id?: string;
  /** What the call is called, for one whose arguments may differ when the tool runs again: then it is known by its name. */
  readonly name?: string;
}

export interface ToolAccount {
  readonly id: string;
  readonly identifier: string;
  readonly provider: string;
  readonly status: AccountStatus;
}

export interface ToolUtils {
  /** The first call gives the same id whenever the tool runs again, and so on. */
  readonly generateId: () => string;
  /** When this call was first made: the same whenever the tool runs again. */
  readonly now: () => Date;
  /** `YYYY-MM-DD HH:mm:ss.SSS`, any part of it, in UTC or `timeZone`. @throws ValidationError for no date */
  readonly formatDate: (date: Date | string | number, format: string, timeZone?: string) => string;
  readonly isValidEmail: (text: unknown) => boolean;
  /**
   * Only to public addresses, or those that the tool's `hosts` allow; also after redirects.
   * @throws ValidationError for a URL that is not allowed, ExternalAPIError when there is no answer. An answer of 400 and more is none
   */
  readonly httpRequest: (request: HttpRequest) => Promise<HttpResponse>;
}

export interface HttpRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text as it is, anything else as JSON. */
  readonly body?: unknown;
  /** ms; default 30,000, and never longer than the tool's own. */
  readonly timeout?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly ok: boolean;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed if it is JSON, otherwise the text. */
  readonly data: Json;
}

export interface ToolErrors {
  readonly ValidationError: typeof ValidationError;
  readonly BusinessLogicError: typeof BusinessLogicError;
  readonly ExternalAPIError: typeof ExternalAPIError;
}

export const TOOL_ERRORS: ToolErrors = { ValidationError, BusinessLogicError, ExternalAPIError };

/** The part of the utilities that needs nothing from outside. `number` counts from 0; `hash` gives at least 32 hex digits. */
export function pureUtils(
  key: string,
  startedAt: number,
  hash: (text: string) => string,
): Pick<ToolUtils, "generateId" | "now" | "formatDate" | "isValidEmail"> {
  let number = 0;
  return {
    generateId: () => uuidOf(hash(`${key}|id|${number++}`)),
    now: () => new Date(startedAt),
    formatDate,
    isValidEmail,
  };
}

/** As a UUID of version 8, whose bits are anybody's own. */
function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
