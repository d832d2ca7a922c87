/** Numbers as people read them. */
import type { Usage } from "../index.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `12 ms`, `3.4 s`, `5 m 06 s`, `2 h 03 m`, `3 d 04 h`. */
export function duration(ms: number): string {
  const at = Math.max(0, Math.round(ms));
  if (at < SECOND) return `${at} ms`;
  if (at < MINUTE) return `${(Math.floor(at / 100) / 10).toFixed(1)} s`;
  if (at < HOUR) return pair(at, MINUTE, "m", SECOND, "s");
  return at < DAY ? pair(at, HOUR, "h", MINUTE, "m") : pair(at, DAY, "d", HOUR, "h");
}

function pair(ms: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = String(Math.floor((ms % big) / small)).padStart(2, "0");
  return `${Math.floor(ms / big)} ${bigName} ${rest} ${smallName}`;
}

/** `0:00.026`, `2:13:05.220`, `3 d 04:05:06.007`: a moment since a start, as exact as the clock. */
export function offset(ms: number): string {
  const at = Math.max(0, Math.round(ms));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [days, hours, minutes] = [Math.floor(at / DAY), Math.floor(at / HOUR) % 24, Math.floor(at / MINUTE) % 60];
  const rest = `${two(Math.floor(at / SECOND) % 60)}.${String(at % SECOND).padStart(3, "0")}`;
  if (days > 0) return `${days} d ${two(hours)}:${two(minutes)}:${rest}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
}

export function tokens({ input, output, cachedInput }: Usage): string {
  const cached = cachedInput > 0 ? ` (${cachedInput.toLocaleString("en-US")} cached)` : "";
  return `${count(input, "token")} in${cached}, ${output.toLocaleString("en-US")} out`;
}

export function dollars(usd: number): string {
  return `$${usd.toFixed(usd < 0.01 ? 5 : 2)}`;
}

/** Text of providers and users is hostile: no control characters reach the terminal. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
}
