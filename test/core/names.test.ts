/** Identifiers, gates, and names that were meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ErrandError } from "../../src/core/errors.ts";
import { accountGate, parseAccountGate } from "../../src/core/gate.ts";
import { checkIdentifier } from "../../src/core/identifier.ts";
import { didYouMean, nearest } from "../../src/core/nearest.ts";

const rows: readonly (readonly [unknown, string])[] = [
  ["", "0 characters"],
  ["a b", "3 characters, among them U+0020"],
  [" user", "5 characters, among them U+0020"],
  ["user\n", "5 characters, among them U+000A"],
  ["zoë", "3 characters, among them U+00EB"],
  ["用户", "2 characters, among them U+7528"],
  ["😀", "2 characters, among them U+1F600"],
  ["a\u0000", "2 characters, among them U+0000"],
  ["a\u007f", "2 characters, among them U+007F"],
  ["\ud83d", "1 characters, among them U+D83D"],
  ["x".repeat(101), "101 characters"],
  [undefined, "undefined"],
  [null, "object"],
  [5, "number"],
  [["user"], "object"],
];

test("identifier: each wrong one is told what it is, and never repeated", () => {
  for (const [value, got] of rows)
    assert.throws(
      () => checkIdentifier(value),
      (error: unknown) => {
        assert.ok(error instanceof ErrandError, String(error));
        assert.equal(error.code, "identifier-invalid");
        assert.equal(
          error.message,
          `identifier: expected 1 to 100 printable ASCII characters without spaces (^[\\x21-\\x7e]{1,100}$), got ${got}. ` +
            "Use your app's stable user id; encode names that hold other characters (encodeURIComponent).",
        );
        return true;
      },
      got,
    );
});

test("identifier: exactly the printable ASCII texts of 1 to 100 characters pass, unchanged", () => {
  const any = fc.oneof(
    fc.string({ maxLength: 110 }),
    fc.string({ unit: "binary", maxLength: 110 }),
    fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)), maxLength: 110 }),
  );
  let passed = 0;
  fc.assert(
    fc.property(any, (value) => {
      const fits = value.length >= 1 && value.length <= 100 && Array.from(value).every((c) => c > " " && c < "\u007f");
      if (fits) {
        passed++;
        assert.equal(checkIdentifier(value), value);
      } else assert.throws(() => checkIdentifier(value), ErrandError);
    }),
    { numRuns: 300 },
  );
  assert.ok(passed > 50, `only ${passed} passed`);
});

test("a gate's name tells whose it is, and no two accounts share one", () => {
  const part = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom("a/b", "%", "%2F", "a b", "/", ":"));
  fc.assert(
    fc.property(part, part, part, part, (identifier, connection, otherIdentifier, otherConnection) => {
      const gate = accountGate(identifier, connection);
      assert.deepEqual(parseAccountGate(gate), { identifier, connection });
      const same = identifier === otherIdentifier && connection === otherConnection;
      assert.equal(accountGate(otherIdentifier, otherConnection) === gate, same);
    }),
  );
  for (const other of ["", "account", "account/a", "stop/a/b"]) assert.equal(parseAccountGate(other), undefined);
});

const KNOWN = [
  "gmail_fetch_mails",
  "gmail_get_message_by_id",
  "gmail_send_message",
  "slack_send_message",
  "github_issue_create",
];

const close: readonly (readonly [string, readonly string[]])[] = [
  ["gmail_fetch_mail", ["gmail_fetch_mails", "gmail_send_message", "gmail_get_message_by_id"]],
  ["GMAIL_FETCH_MAILS", ["gmail_fetch_mails", "gmail_send_message", "gmail_get_message_by_id"]],
  ["gmail_list_messages", ["gmail_send_message", "gmail_get_message_by_id", "slack_send_message"]],
  ["gtihub_issue_create", ["github_issue_create"]],
  ["slack", ["slack_send_message"]],
  ["zzz", []],
  ["", []],
];

test("near names: slips, swapped letters, another case, the same connector", () => {
  for (const [name, expected] of close) assert.deepEqual(nearest(name, KNOWN).toSorted(), expected.toSorted(), name);
  assert.equal(nearest("gmail_fetch_mail", KNOWN)[0], "gmail_fetch_mails");
  assert.equal(nearest("gmail_send_mesage", KNOWN)[0], "gmail_send_message");
  assert.deepEqual(nearest("ab", ["ba", "ab", "bb"], 2), ["ab", "ba"], "equal distances by name");
  assert.deepEqual(nearest("gmail_x", KNOWN, 1).length, 1);
  assert.deepEqual(nearest("a", []), []);
});

test("did you mean", () => {
  assert.equal(didYouMean("turn", ["turns", "toolCalls"]), ' Did you mean "turns"?');
  assert.equal(didYouMean("ab", ["abc", "abd", "abe", "abf"]), ' Did you mean "abc" or "abd" or "abe"?');
  assert.equal(didYouMean("zzz", ["turns"]), "");
});

test("near names: the name itself is always first, and answers are known names, each once", () => {
  const name = fc.string({ minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { minLength: 1, maxLength: 8, selector: (n) => n.toLowerCase() }),
      fc.nat(),
      (known, at) => {
        const asked = known[at % known.length] ?? "";
        const found = nearest(asked, known, 10);
        assert.equal(found[0], asked);
        assert.equal(new Set(found).size, found.length);
        assert.deepEqual(
          found.filter((one) => !known.includes(one)),
          [],
        );
      },
    ),
  );
});
