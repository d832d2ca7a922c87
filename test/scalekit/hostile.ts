/** What a model, or whoever speaks through it, could write to make a path lead elsewhere. */
import fc from "fast-check";

export const HOSTILE: readonly string[] = [
  "",
  ".",
  "..",
  "...",
  "..;",
  "..;/x",
  "../api/v1/organizations",
  "../../api/v1/organizations",
  "..\\api\\v1",
  "%2e%2e",
  "%2E%2e%2Fapi",
  ".%2e",
  "%252e%252e%252fapi",
  "a%2fb",
  "a%5Cb",
  "a/b",
  "/a",
  "//evil.example",
  "\\\\evil.example",
  "https://evil.example/x",
  "．．／api",
  "‥",
  " ..",
  "..\t",
  "\n",
  "a\r\nHost: evil.example",
  "a\u0000b",
  "a\u202e/..",
  "\u200b..",
  "\ud800",
  "%00",
  "x".repeat(1_025),
];

/** Texts near the hostile ones, and any others. */
export function hostileText(): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(
      ".",
      "..",
      "/",
      "\\",
      "%2e",
      "%2f",
      "%25",
      "%",
      ";",
      "?",
      "#",
      "@",
      ":",
      "．",
      "／",
      "‥",
      " ",
      "api",
      "v1",
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
    fc.string({ unit: "grapheme", maxLength: 3 }),
  );
  return fc.oneof(
    fc.constantFrom(...HOSTILE),
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")),
  );
}
