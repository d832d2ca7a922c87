/** Small things that tools need, without anything from outside. */
import { ValidationError } from "./tool-errors.ts";

const TOKENS = /YYYY|YY|MM|DD|HH|mm|ss|SSS|\[[^\]]*\]/g;

/** Parts of a date in UTC or a time zone; text in brackets stays: `YYYY-MM-DD[T]HH:mm`. @throws ValidationError */
export function formatDate(date: Date | string | number, format: string, timeZone: string = "UTC"): string {
  const moment = new Date(date);
  if (Number.isNaN(moment.getTime())) throw new ValidationError(`formatDate: ${JSON.stringify(date)} is no date.`);
  const told = partsOf(moment, timeZone);
  const part = (name: string): string => told.find(({ type }) => type === name)?.value ?? "";
  const values: Readonly<Record<string, () => string>> = {
    YYYY: () => part("year").padStart(4, "0"),
    YY: () => part("year").slice(-2),
    MM: () => part("month"),
    DD: () => part("day"),
    HH: () => part("hour"),
    mm: () => part("minute"),
    ss: () => part("second"),
    SSS: () => String(moment.getUTCMilliseconds()).padStart(3, "0"),
  };
  return format.replace(TOKENS, (token) => values[token]?.() ?? token.slice(1, -1));
}

function partsOf(date: Date, timeZone: string): Intl.DateTimeFormatPart[] {
  try {
    const two = "2-digit";
    return new Intl.DateTimeFormat("en-GB", {
      timeZone,
      year: "numeric",
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
      hourCycle: "h23",
    }).formatToParts(date);
  } catch {
    throw new ValidationError(`formatDate: there is no time zone ${JSON.stringify(timeZone)}.`);
  }
}

const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** An address as mail servers take them (RFC 5321 §4.5.3): no quotes, no comments, a domain with a dot. */
export function isValidEmail(text: unknown): boolean {
  if (typeof text !== "string" || text.length > 254) return false;
  const at = text.lastIndexOf("@");
  const [local, labels] = [text.slice(0, at), text.slice(at + 1).split(".")];
  if (at < 1 || local.length > 64 || !LOCAL.test(local)) return false;
  return labels.length > 1 && labels.every((label) => LABEL.test(label)) && /[A-Za-z]/.test(labels.at(-1) ?? "");
}
