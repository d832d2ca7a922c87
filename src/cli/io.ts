/** What a command talks to, and how: results on stdout, everything else on stderr, colours only where a person looks. */
import { styleText } from "node:util";

/** A stream of the process, or what stands for it in a test. */
export interface Out {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  hasColors?(): boolean;
}

export interface Io {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Out;
  readonly stderr: Out;
  /** Default: those of the process. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Options that stand before or after every command. */
export interface GlobalArgs {
  readonly config?: string;
  readonly json?: boolean;
  readonly debug?: boolean;
}

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** NO_COLOR, FORCE_COLOR and TERM are looked at by `hasColors`. */
export function painter(stream: Out): Paint {
  return stream.isTTY === true && stream.hasColors?.() === true
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_, text) => text;
}

export function line(stream: Out, text: string): void {
  stream.write(`${text}\n`);
}

export function jsonLine(stream: Out, value: unknown): void {
  line(stream, JSON.stringify(value));
}

/** Without the fields that are undefined: an option that was not given is absent, not undefined. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof given<T>
  >;
}
