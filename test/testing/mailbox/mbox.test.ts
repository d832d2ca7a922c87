import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { readMbox, splitMbox } from "../../../src/testing/mailbox/mbox.ts";

const INBOX = new URL("../../../../shared/data/inbox.mbox", import.meta.url);

function mbox(...mails: string[]): Buffer {
  return Buffer.from(
    mails.map((mail) => `From ann@example.com Thu Aug 22 12:36:23 2002\n${mail}\n`).join(""),
    "latin1",
  );
}

test("splits on separators with address and date only: a body line that begins with From does not cut a mail", async () => {
  const mails = await readMbox(
    mbox(
      "Subject: one\n\nWe meet at nine.\n\nFrom here on we walk\nFrom ann@example.com I got a map\n",
      "Subject: two\n\nshort\n",
    ),
  );
  assert.deepEqual(
    mails.map(({ subject }) => subject),
    ["one", "two"],
  );
  assert.match(mails[0]?.text ?? "", /From here on we walk\s+From ann@example.com I got a map/);
});

test("takes off the quoting of From lines, one level", async () => {
  const [mail] = await readMbox(mbox("Subject: q\n\n>From the start\n>>From deeper\n> From untouched\n"));
  assert.equal(mail?.text.trim(), "From the start\n>From deeper\n> From untouched");
});

test("separators in other clothes: Gmail's export, CRLF, a time zone", () => {
  const file =
    "From 1786@xxx Mon Mar 02 15:48:36 +0000 2026\r\nSubject: a\r\n\r\nx\r\n" +
    "From - Mon Sep  2 12:29:16 2002\nSubject: b\n\ny\n" +
    "From MAILER-DAEMON Fri Jul  8 12:08:34 GMT 2011\nSubject: c\n\nz\n";
  assert.equal(splitMbox(Buffer.from(file)).length, 3);
});

test("no separator at all: one mail; nothing at all: none", async () => {
  assert.equal((await readMbox(Buffer.from("Subject: alone\n\nx")))[0]?.subject, "alone");
  assert.deepEqual(await readMbox(Buffer.from("\n \n")), []);
});

test("bytes are kept as they are", () => {
  const bytes = Buffer.from(
    Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10 && byte !== 13),
  );
  const [mail] = splitMbox(Buffer.concat([mbox("Subject: bytes\n"), bytes]));
  assert.deepEqual(Buffer.from(mail ?? []).subarray(-bytes.length), bytes);
});

test("a mail the parser gives up on becomes an entry that says so, and the others are read", async () => {
  const deep = `Subject: deep\nContent-Type: multipart/mixed; boundary="b0"\n\n${Array.from(
    { length: 300 },
    (_, level) => `--b${level}\nContent-Type: multipart/mixed; boundary="b${level + 1}"\n\n`,
  ).join("")}`;
  const [bad, good] = await readMbox(mbox(deep, "Subject: good\n\nfine\n"));
  assert.equal(bad?.subject, "deep");
  assert.match(bad?.problem ?? "", /nesting/i);
  assert.equal(good?.problem, undefined);
  assert.equal(good?.text.trim(), "fine");
});

const missing = existsSync(INBOX)
  ? false
  : `NOT RUN: ${INBOX.pathname} is not here, so the 148 real mails were not read`;

test("reads all 148 real mails of ../shared/data/inbox.mbox", { skip: missing }, async () => {
  const mails = await readMbox(readFileSync(INBOX));
  assert.equal(mails.length, 148);
  const broken = mails.filter(({ problem }) => problem !== undefined);
  assert.deepEqual(broken, []);
  const silent = mails.filter(({ text, attachments }) => text.trim() === "" && attachments.length === 0);
  assert.deepEqual(
    silent.map(({ subject }) => subject),
    [],
  );
  assert.ok(mails.every(({ from }) => from.includes("@")));
});
