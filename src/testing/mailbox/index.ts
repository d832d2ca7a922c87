/** The mailbox's public names. */
export { parseMail, type Mail, type MailAttachment, type MailHeader } from "./mail.ts";
export { RAW_SAMPLES, sampleMails } from "./samples.ts";
export { readMbox, splitMbox } from "./mbox.ts";
export { Mailbox, type Draft, type LoadOptions, type MailFilter, type Outgoing } from "./mailbox.ts";
export type { MessageFormat, StoredMessage } from "./message.ts";
