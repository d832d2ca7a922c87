/** The app's id of the user on whose behalf a run acts. */
import { ErrandError } from "./errors.ts";

/**
 * Printable ASCII without space, 1 to 100 characters. Scalekit's limit is 100; its SDK drops characters above U+00FF
 * and trims spaces when it puts the identifier into a header, which addresses another user's account.
 */
const IDENTIFIER = /^[\x21-\x7e]{1,100}$/;

/** @throws ErrandError `identifier-invalid` */
export function checkIdentifier(value: unknown): string {
  if (typeof value === "string" && IDENTIFIER.test(value)) return value;
  const got = typeof value === "string" ? `${value.length} characters${describe(value)}` : typeof value;
  throw new ErrandError(
    "identifier-invalid",
    `identifier: expected 1 to 100 printable ASCII characters without spaces (^[\\x21-\\x7e]{1,100}$), got ${got}. ` +
      "Use your app's stable user id; encode names that hold other characters (encodeURIComponent).",
  );
}

function describe(value: string): string {
  const odd = Array.from(value).find((c) => !/[\x21-\x7e]/.test(c));
  return odd === undefined
    ? ""
    : `, among them U+${(odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
