/** One mail: what it is once parsed. Parsing never throws: a mail that cannot be read becomes an entry that says so. */
import { htmlToText } from "html-to-text";
import PostalMime, { decodeWords, type Address, type Attachment, type Email } from "postal-mime";

export interface MailHeader {
  readonly name: string;
  /** Unfolded, encoded words decoded. */
  readonly value: string;
}

export interface MailAttachment {
  readonly filename: string;
  readonly mimeType: string;
  readonly content: Uint8Array;
}

export interface Mail {
  /** The bytes as they came (RFC 822). */
  readonly raw: Uint8Array;
  readonly headers: readonly MailHeader[];
  /** `Name <address>`, or just the address; lists are joined with a comma. Empty if there is none. */
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly subject: string;
  /** Unix milliseconds; undefined if the mail carries no date that can be read. */
  readonly date: number | undefined;
  readonly messageId: string | undefined;
  /** Message ids this one answers, oldest first. */
  readonly references: readonly string[];
  /** The readable text: the plain part, or else the HTML part turned into text. */
  readonly text: string;
  /** Whether the mail itself has a plain part. If not, `text` was made from `html`. */
  readonly hasPlainPart: boolean;
  readonly html: string | undefined;
  readonly attachments: readonly MailAttachment[];
  /** Why the mail could not be parsed; the other fields then hold what could be saved. */
  readonly problem: string | undefined;
}

/** Parses one raw mail (RFC 822). Never rejects. */
export async function parseMail(raw: Uint8Array | string): Promise<Mail> {
  const bytes = typeof raw === "string" ? Buffer.from(raw, "utf8") : raw;
  try {
    return describe(bytes, await PostalMime.parse(bytes));
  } catch (error) {
    return unreadable(bytes, error instanceof Error ? error.message : String(error));
  }
}

function describe(raw: Uint8Array, email: Email): Mail {
  const date = email.date === undefined ? Number.NaN : Date.parse(email.date);
  const plain = email.text ?? "";
  const hasPlainPart = plain.trim() !== "";
  return {
    raw,
    headers: email.headers.map((header) => ({ name: header.originalKey, value: decode(header.value) })),
    from: email.from === undefined ? "" : formatAddress(email.from),
    to: (email.to ?? []).map(formatAddress).join(", "),
    cc: (email.cc ?? []).map(formatAddress).join(", "),
    subject: email.subject ?? "",
    date: Number.isNaN(date) ? undefined : date,
    messageId: email.messageId,
    references: messageIds(`${email.references ?? ""} ${email.inReplyTo ?? ""}`),
    text: hasPlainPart || email.html === undefined ? plain : textOf(email.html),
    hasPlainPart,
    html: email.html,
    attachments: email.attachments.map(describeAttachment),
    problem: undefined,
  };
}

function unreadable(raw: Uint8Array, problem: string): Mail {
  const head = Buffer.from(raw.subarray(0, 16_384)).toString("utf8");
  const header = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
  return {
    raw,
    headers: [],
    from: header("from"),
    to: header("to"),
    cc: header("cc"),
    subject: header("subject"),
    date: undefined,
    messageId: undefined,
    references: [],
    text: "",
    hasPlainPart: false,
    html: undefined,
    attachments: [],
    problem,
  };
}

function formatAddress(address: Address): string {
  if (address.group !== undefined) return `${address.name}: ${address.group.map(formatAddress).join(", ")};`;
  if (address.name === "" || address.name === address.address) return address.address;
  return `${address.name} <${address.address}>`;
}

function describeAttachment(attachment: Attachment, index: number): MailAttachment {
  const { content } = attachment;
  return {
    filename: attachment.filename ?? `attachment-${index + 1}`,
    mimeType: attachment.mimeType,
    content: typeof content === "string" ? Buffer.from(content) : new Uint8Array(content),
  };
}

function messageIds(text: string): string[] {
  return [...new Set(text.match(/<[^<>\s]+>/g) ?? [])];
}

function decode(value: string): string {
  try {
    return decodeWords(value);
  } catch {
    return value;
  }
}

/** Text as a reader would see it: no images, no link targets, lines left as long as they are. */
function textOf(html: string): string {
  try {
    return htmlToText(html, {
      wordwrap: false,
      selectors: [
        { selector: "img", format: "skip" },
        { selector: "a", options: { ignoreHref: true } },
      ],
    });
  } catch {
    return html;
  }
}
