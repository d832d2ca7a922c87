import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mail } from "../../../src/testing/mailbox/mail.ts";
import { sampleMails } from "../../../src/testing/mailbox/samples.ts";

const mails = await sampleMails();
const bySubject = (part: string): Mail => {
  const found = mails.find(({ subject }) => subject.includes(part));
  assert.ok(found, `no sample with subject ${part}; there are: ${mails.map(({ subject }) => subject).join(" | ")}`);
  return found;
};

test("all ten can be read, and each has text", () => {
  assert.equal(mails.length, 10);
  for (const mail of mails) {
    assert.equal(mail.problem, undefined, mail.subject);
    assert.notEqual(mail.text.trim(), "", mail.subject);
  }
});

test("a lying charset costs characters, never the mail", () => {
  assert.match(bySubject("Rechnung").text, /48,20 .+ zahlbar bis zum 16\. M/);
});

test("HTML only: text without markup, styles, pixels or link targets", () => {
  const { text, hasPlainPart } = bySubject("parcel");
  assert.equal(hasPlainPart, false);
  assert.match(text, /Order A&B-77812 comes today between 14:00 and 16:00\./);
  assert.doesNotMatch(text, /[<>]|display:none|pixel\.gif|https?:/);
});

test("MIME in MIME: the plain part, and the thread it belongs to", () => {
  const mail = bySubject("contract");
  assert.match(mail.text, /Please sign by Thursday\. Clause 7 has changed\./);
  assert.match(mail.text, /60 days instead of 30/);
  assert.deepEqual(mail.references, ["<contract-1@partners.example>", "<contract-2@partners.example>"]);
  assert.equal(mail.cc, "Legal <legal@partners.example>, ops@partners.example");
});

test("an attachment, its name put together", () => {
  const [attachment] = bySubject("Invoice").attachments;
  assert.equal(attachment?.filename, "../../invoice 2026-114.pdf");
  assert.equal(attachment.mimeType, "application/pdf");
  assert.equal(Buffer.from(attachment.content).subarray(0, 5).toString(), "%PDF-");
});

test("long quoted-printable text in one piece, and a subject of two encoded words", () => {
  const { text } = bySubject("Minutes of the February meeting");
  assert.equal(text.match(/The minutes of the meeting are long, and this line is one of them — /g)?.length, 90);
});

test("right-to-left and invisible characters arrive untouched: hiding them is not the mailbox's business", () => {
  const { text, subject, from } = bySubject("תור");
  assert.match(text, /Th\u200be a\u200bppo\u200bintment is now Wednesday/);
  assert.ok(subject.includes("\u202e"));
  assert.match(from, /sharon@clinic\.example/);
});

test("an empty subject and no date", () => {
  const mail = mails.find(({ from }) => from === "mum@family.example");
  assert.equal(mail?.subject, "");
  assert.equal(mail.date, undefined);
});

test("a huge line stays one line", () => {
  assert.ok(
    bySubject("build 4411")
      .text.split("\n")
      .some((line) => line.length === 60_000),
  );
});
