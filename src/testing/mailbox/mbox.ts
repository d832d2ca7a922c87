/** Reads mbox files: one file, many mails. Each mail is parsed on its own, so a bad one costs nothing but itself. */
import { parseMail, type Mail } from "./mail.ts";

/**
 * A separator carries an address and a date (`From joe@example.com Thu Aug 22 12:36:23 2002`). Both are demanded:
 * a body line such as "From here on we walk" must not cut a mail in two.
 */
const SEPARATOR =
  /^From \S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} \d{1,2}:\d\d(?::\d\d)?(?: [+\-\w]+)* \d{4}[ \t]*\r?\n/gm;

/** The raw mails of an mbox file, in order. A file without separators is taken as one mail. */
export function splitMbox(file: Uint8Array): Uint8Array[] {
  // latin1 maps every byte to one character and back, so offsets hold and no byte is lost
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString("latin1");
  const mails: string[] = [];
  let start = 0;
  for (const match of text.matchAll(SEPARATOR)) {
    mails.push(text.slice(start, match.index));
    start = match.index + match[0].length;
  }
  mails.push(text.slice(start));
  return mails.filter((mail) => mail.trim() !== "").map((mail) => Buffer.from(unescape(mail), "latin1"));
}

/** The mails of an mbox file, in order. Nothing is lost: what cannot be parsed becomes an entry with `problem`. */
export async function readMbox(file: Uint8Array): Promise<Mail[]> {
  return await Promise.all(splitMbox(file).map(parseMail));
}

/** Writers put a `>` before body lines that begin with `From `, and one more before those that begin with `>From `. */
function unescape(mail: string): string {
  return mail.replaceAll(/^>(>*From )/gm, "$1");
}
