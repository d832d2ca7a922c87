/** What Node says of a connection that failed. Pure: only reads the error. */

/** System calls that come before the first byte; their errors say that nothing was sent. */
const DIALLING: readonly unknown[] = ["connect", "getaddrinfo"];

/** `ECONNREFUSED` and the like, when the connection could not be made. */
export function dialFailure(error: unknown): string | undefined {
  const dialling = causes(error).find((cause) => "syscall" in cause && DIALLING.includes(cause.syscall));
  return dialling === undefined ? undefined : (systemCode(dialling) ?? dialling.name);
}

/** Node's own code of an error or its causes: `ECONNREFUSED`, `DEPTH_ZERO_SELF_SIGNED_CERT`. */
export function systemCode(error: unknown): string | undefined {
  for (const cause of causes(error)) if ("code" in cause && typeof cause.code === "string") return cause.code;
  return undefined;
}

function causes(error: unknown): Error[] {
  const found: Error[] = [];
  for (let cause = error; cause instanceof Error && !found.includes(cause); cause = cause.cause) found.push(cause);
  return found;
}
