/** The input of a run, from the command line, a file or stdin. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { ErrandError } from "../index.ts";
import type { Io } from "./io.ts";

export interface InputArgs {
  readonly input?: string;
  readonly inputFile?: string;
  /** Stands for `{ "prompt": … }`: what a person types. */
  readonly prompt?: string;
}

/** @returns `{}` when none was given: the agent's schema says what is missing. @throws ErrandError `option-invalid` */
export async function readInput(
  { input, inputFile, prompt }: InputArgs,
  stdin: NodeJS.ReadableStream,
): Promise<unknown> {
  if (prompt !== undefined) return { prompt };
  if (input === "-" || inputFile === "-") return parse("stdin", await text(stdin));
  if (inputFile !== undefined) return parse(`--input-file ${inputFile}`, await read(inputFile));
  return input === undefined ? {} : parse("--input", input);
}

/** JSON of an option; `-` reads stdin. @throws ErrandError `option-invalid` */
export async function jsonInput(given: string, option: string, { stdin }: Pick<Io, "stdin">): Promise<unknown> {
  return given === "-" ? parse("stdin", await text(stdin)) : parse(option, given);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new ErrandError("option-invalid", `--input-file: expected a readable file, got ${path} (${code}).`);
  }
}

/** The parser's own message repeats the input, which may be private; where it stopped is enough. */
function parse(where: string, json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (error) {
    const at = /at position \d+/.exec(error instanceof Error ? error.message : "")?.[0];
    const got = json.trim() === "" ? "nothing" : `${json.length} characters that are not JSON${at ? ` (${at})` : ""}`;
    const quote = where === "--input" ? " In a shell, put it in single quotes: --input '{\"a\":1}'." : "";
    throw new ErrandError("option-invalid", `${where}: expected JSON, got ${got}.${quote}`);
  }
}
