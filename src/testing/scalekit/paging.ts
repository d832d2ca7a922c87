/** Pages with opaque tokens. The default page is 10, as Scalekit's is: who reads one page only misses tools. */
import { scalekitError } from "./errors.ts";

const DEFAULT_PAGE = 10;

export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly totalSize: number;
  readonly nextPageToken: string;
  readonly prevPageToken: string;
}

export function pageOf<T>(all: readonly T[], request: PageRequest): Page<T> {
  const size = request.pageSize === 0 ? DEFAULT_PAGE : request.pageSize;
  const start = request.pageToken === "" ? 0 : offsetOf(request.pageToken);
  const end = start + size;
  return {
    items: all.slice(start, end),
    totalSize: all.length,
    nextPageToken: end < all.length ? tokenOf(end) : "",
    prevPageToken: start > 0 ? tokenOf(Math.max(0, start - size)) : "",
  };
}

function tokenOf(offset: number): string {
  return Buffer.from(`page:${offset}`).toString("base64url");
}

function offsetOf(token: string): number {
  const offset = /^page:(\d+)$/.exec(Buffer.from(token, "base64url").toString())?.[1];
  if (offset === undefined) throw scalekitError("InvalidArgument", "INVALID_REQUEST", "invalid page_token");
  return Number(offset);
}
