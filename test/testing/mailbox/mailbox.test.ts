import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMail, type Mail } from "../../../src/testing/mailbox/mail.ts";
import { Mailbox } from "../../../src/testing/mailbox/mailbox.ts";
import { messageResource } from "../../../src/testing/mailbox/message.ts";
import { sampleMails } from "../../../src/testing/mailbox/samples.ts";

const NOW = Date.parse("2026-03-03T00:00:00Z");

async function loaded(): Promise<Mailbox> {
  const mailbox = new Mailbox("you@example.com", () => NOW);
  mailbox.load(await sampleMails());
  return mailbox;
}

async function letter(headers: string, body = "text"): Promise<Mail> {
  return await parseMail(`${headers}\n\n${body}\n`);
}

const subjects = (mailbox: Mailbox, query: string): string[] =>
  mailbox.find({ query }).map(({ mail }) => mail.subject.slice(0, 12));

test("search: each operator finds what it should and nothing else", async () => {
  const mailbox = await loaded();
  mailbox.messages.find(({ mail }) => mail.subject.startsWith("Saturday"))?.labels.delete("UNREAD");
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["from:hosting.example", ["Invoice 2026"]],
    ["FROM:Dana", ["Fwd: contrac"]],
    ["subject:parcel", ["Your parcel "]],
    ['"clause 7"', ["Fwd: contrac"]],
    ["is:read", ["Saturday's w"]],
    ["has:attachment filename:pdf", ["Invoice 2026"]],
    ["subject:contract -from:dana", []],
    ["in:inbox is:unread from:mum@family.example", [""]],
    ["is:starred", []],
    ["rfc822msgid:walk-7@hills.example", ["Saturday's w"]],
    ["before:2026/03/03 subject:build", ["[ci] build 4"]],
    ["after:2026/03/03", [""]],
    ["newer_than:1d subject:build", ["[ci] build 4"]],
    ["older_than:1d", []],
    ["silence chapel", ["Saturday's w"]],
  ];
  for (const [query, expected] of cases) assert.deepEqual(subjects(mailbox, query), expected, query);
});

test("newest first; spam and trash only when asked for", async () => {
  const mailbox = await loaded();
  const dates = mailbox.find().map(({ internalDate }) => internalDate);
  assert.deepEqual(
    dates,
    dates.toSorted((a, b) => b - a),
  );
  const [first] = mailbox.find();
  first?.labels.add("TRASH");
  assert.equal(mailbox.find().length, 9);
  assert.equal(mailbox.find({ spamAndTrash: true }).length, 10);
  assert.equal(mailbox.find({ query: "in:trash" }).length, 1);
  assert.equal(mailbox.find({ labels: ["TRASH"] }).length, 1);
});

test("an old mbox can be made to end now: arrival times are shifted alike", async () => {
  const mailbox = new Mailbox("you@example.com", () => NOW);
  mailbox.load(
    [
      await letter("Subject: old\nDate: Thu, 22 Aug 2002 12:00:00 +0000"),
      await letter("Subject: older\nDate: Tue, 20 Aug 2002 12:00:00 +0000"),
    ],
    { newestAt: NOW - 60_000 },
  );
  assert.deepEqual(
    [subjects(mailbox, "newer_than:1d"), subjects(mailbox, "newer_than:3d")],
    [["old"], ["old", "older"]],
  );
});

test("answers join the thread of the mail they answer", async () => {
  const mailbox = new Mailbox("you@example.com", () => NOW);
  const [first] = mailbox.load([await letter("Message-ID: <1@x.example>\nSubject: plan")]);
  const [second] = mailbox.load([await letter("Message-ID: <2@x.example>\nIn-Reply-To: <1@x.example>")]);
  const reply = await mailbox.send({ to: "a@x.example", subject: "Re: plan", body: "ok", inReplyTo: "<2@x.example>" });
  assert.equal(second?.threadId, first?.id);
  assert.equal(reply.threadId, first?.id);
  assert.deepEqual(
    mailbox.thread(first?.id ?? "").map(({ id }) => id),
    [first?.id, second?.id, reply.id],
  );
});

test("a line break in a header of an outgoing mail starts no header of its own", async () => {
  const mailbox = new Mailbox("you@example.com", () => NOW);
  const { mail } = await mailbox.send({ to: "a@x.example", subject: "hi\r\nBcc: thief@x.example", body: "x" });
  assert.equal(mail.subject, "hi Bcc: thief@x.example");
  assert.ok(!mail.headers.some(({ name }) => name.toLowerCase() === "bcc"));
});

test("a draft is changed, sent and gone", async () => {
  const mailbox = new Mailbox("you@example.com", () => NOW);
  const draft = await mailbox.draft({ to: "a@x.example", subject: "s", body: "one" });
  assert.equal((await mailbox.updateDraft(draft.id, { to: "a@x.example", subject: "s", body: "two" }))?.id, draft.id);
  assert.equal(mailbox.messages.length, 1);
  assert.equal(mailbox.sendDraft(draft.id)?.mail.text.trim(), "two");
  assert.deepEqual([mailbox.drafts.length, mailbox.sent.length], [0, 1]);
  assert.equal(mailbox.sendDraft(draft.id), undefined);
});

test("the message resource in its four formats", async () => {
  const mailbox = await loaded();
  const invoice = mailbox.find({ query: "has:attachment" })[0];
  assert.ok(invoice);
  const minimal = messageResource(invoice, "minimal");
  assert.deepEqual(
    [minimal["threadId"], minimal["internalDate"], minimal["labelIds"], minimal["payload"]],
    [invoice.threadId, "1772445602000", ["INBOX", "UNREAD"], undefined],
  );
  assert.match(minimal["snippet"] as string, /^Invoice attached\. Amount due/);
  const metadata = messageResource(invoice, "metadata", ["subject"]);
  assert.deepEqual(metadata["payload"], {
    mimeType: "multipart/mixed",
    headers: [{ name: "Subject", value: "Invoice 2026-114 is due on Friday" }],
  });
  const { payload } = messageResource(invoice, "full") as { payload: { parts: Record<string, unknown>[] } };
  const [body, attachment] = payload.parts;
  assert.equal(body?.["partId"], "0");
  const { data } = (body?.["body"] ?? {}) as { data: string };
  assert.match(Buffer.from(data, "base64url").toString(), /USD 312\.00/);
  assert.deepEqual(attachment?.["body"], { attachmentId: "att-0", size: 45 });
  const raw = messageResource(invoice, "raw")["raw"] as string;
  assert.deepEqual(Buffer.from(raw, "base64url"), Buffer.from(invoice.mail.raw));
});
