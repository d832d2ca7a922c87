/** One honest line out of a mail: its own words, without the invisible characters, quotes and traps that mails carry. */

// Zero-width, bidirectional and other format characters, and tag characters that can hide whole sentences.
const INVISIBLE = /\p{Cf}|\p{Co}|\p{Variation_Selector}|\p{Default_Ignorable_Code_Point}/gu;
const CONTROL = /\p{Cc}+/gu;
const GREETING = /^(hi|hello|hey|dear|hallo|guten tag|good (morning|afternoon|evening)|bonjour|hola)\b[^.!?]{0,40}$/i;
const NOISE =
  /^(view (this|in)|unsubscribe|sent from my|click here|-{2,}|={2,}|_{2,}|\*{3,}|\w{0,3}>|\||on \w{3,9}, .{0,40}\d|begin forwarded)|\b(wrote|writes|schrieb|a écrit)\s*:?$/i;
/** Text that speaks to an assistant instead of to the reader. */
const TRAP =
  /\b(ignore|disregard|forget)\b.{0,40}\b(instruction|prompt|rule|previous|above)|system prompt|\b(you are|as) an? (ai|assistant|language model)\b|\b(assistant|ai agent|llm)s?\s*[:,]|\b(call|use|invoke) the \w+ tool\b/i;
const WANTED =
  /\b(by|before|until) (monday|tuesday|wednesday|thursday|friday|tomorrow|tonight|noon|\d)|\b(deadline|due|urgent|asap|overdue|action required|please (reply|confirm|review|sign|send|pay)|invoice|payment|meeting|interview|security alert|expires?)\b|\?$/i;

/** Printable text on one line; undefined and empty give "". */
export function clean(text: string): string {
  return text.toWellFormed().replace(INVISIBLE, "").replace(CONTROL, " ").replace(/\s+/gu, " ").trim();
}

/** "Ada" <ada@example.org> → Ada; a bare address stays as it is. */
export function senderName(from: string): string {
  const text = clean(from.slice(0, 1000));
  const at = text.lastIndexOf("<");
  const name = (at > 0 ? text.slice(0, at) : text).replace(/["<>]/g, "").trim();
  return shorten(name, 80) || "unknown sender";
}

export interface Line {
  readonly text: string;
  /** It asks for something or names a date. */
  readonly wanted: boolean;
  /** Sentences addressed to an assistant were found, and passed over. */
  readonly trap: boolean;
}

/** The sentence that says most: one that asks for something, else the first that is not a greeting or boilerplate. */
export function keyLine(text: string): Line {
  const sentences = paragraphs(text.slice(0, 20_000))
    .flatMap((paragraph) => paragraph.split(/(?<=[.!?])\s+(?=\p{Lu})/u))
    .map((sentence) => sentence.replace(/\S{60,}/gu, "…"))
    .filter((sentence) => /\p{L}{2}/u.test(sentence));
  const honest = sentences.filter((sentence) => !TRAP.test(sentence));
  const wanted = honest.slice(0, 40).find((sentence) => WANTED.test(sentence));
  return {
    text: shorten(wanted ?? honest[0] ?? "", 140),
    wanted: wanted !== undefined,
    trap: honest.length < sentences.length,
  };
}

/** Lines without greetings, quotes and boilerplate; a line that was broken for its length goes on in the next. */
function paragraphs(text: string): string[] {
  const found: string[] = [];
  let open = false;
  for (const line of text.split(/\r?\n/).map(clean)) {
    const kept = line !== "" && !NOISE.test(line) && !GREETING.test(line.replace(/[,!.]$/, ""));
    const last = found.at(-1);
    if (kept && open && last !== undefined) found[found.length - 1] = `${last} ${line}`;
    else if (kept) found.push(line);
    open = kept && line.length > 50;
  }
  return found;
}

/** At most `max` characters, cut at a word if one ends near. */
export function shorten(text: string, max: number): string {
  const points = Array.from(text);
  if (points.length <= max) return text;
  return `${points
    .slice(0, max - 1)
    .join("")
    .replace(/\s+\S{0,12}$/u, "")}…`;
}
