/** Images and files of tool results, as Responses and Anthropic's messages take them. What they do not take stays a note in the text. */
import type { Media } from "../core/media.ts";
import { type Fields, said } from "./fields.ts";
import type { Result } from "./results.ts";

/** Both protocols know the same ones. */
const IMAGES: readonly string[] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const FILES: readonly string[] = ["application/pdf"];

function shown({ media = [] }: Result, vision: boolean): readonly Media[] {
  if (!vision) return [];
  return media.filter(({ kind, mimeType }) => (kind === "image" ? IMAGES : FILES).includes(mimeType));
}

/** A text, or parts if there is something to see. */
export function responsesOutput(result: Result, vision: boolean): string | Fields[] {
  const media = shown(result, vision);
  if (media.length === 0) return result.text.toWellFormed();
  const parts = media.map(({ kind, mimeType, data, name = "file.pdf" }): Fields => {
    const url = `data:${mimeType};base64,${data}`;
    return kind === "image"
      ? { type: "input_image", image_url: url, detail: "auto" }
      : { type: "input_file", filename: name, file_data: url };
  });
  return [{ type: "input_text", text: said(result.text) }, ...parts];
}

export function messagesContent(result: Result, vision: boolean): string | Fields[] {
  const media = shown(result, vision);
  if (media.length === 0) return said(result.text);
  const blocks = media.map(({ kind, mimeType, data }): Fields => ({
    type: kind === "image" ? "image" : "document",
    source: { type: "base64", media_type: mimeType, data },
  }));
  return [{ type: "text", text: said(result.text) }, ...blocks];
}
