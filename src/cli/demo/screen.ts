/** What a person sees while the demo runs: one live line a run at a terminal, one plain line a change elsewhere. */
import { styleText } from "node:util";
import { createLogUpdate } from "log-update";

export interface Screen {
  /** The present state of one run. */
  line(name: string, text: string): void;
  /** Something to keep, above the live lines. */
  say(text: string): void;
  /** Leaves the last state of the lines standing. Safe to call twice. */
  done(): void;
}

export function openScreen(out: NodeJS.WriteStream): Screen {
  return out.isTTY ? liveScreen(out) : plainScreen(out);
}

function plainScreen(out: NodeJS.WriteStream): Screen {
  const last = new Map<string, string>();
  return {
    line: (name, text) => {
      if (last.get(name) === text) return;
      last.set(name, text);
      out.write(`${name.padEnd(6)} ${text}\n`);
    },
    say: (text) => void out.write(`${text}\n`),
    done: () => undefined,
  };
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;

function liveScreen(out: NodeJS.WriteStream): Screen {
  const update = createLogUpdate(out, { showCursor: true });
  const lines = new Map<string, string>();
  let frame = 0;
  let over = false;
  const draw = (): void => {
    const mark = FRAMES[frame++ % FRAMES.length] ?? "";
    update(
      [...lines]
        .map(
          ([name, text]) => `${styleText("bold", name.padEnd(6))} ${/^(done|failed)/.test(text) ? "✓" : mark} ${text}`,
        )
        .join("\n"),
    );
  };
  const timer = setInterval(draw, FRAME_MS);
  return {
    line: (name, text) => {
      lines.set(name, text);
      draw();
    },
    say: (text) => {
      update.clear();
      out.write(`${text}\n`);
      draw();
    },
    done: () => {
      if (over) return;
      over = true;
      clearInterval(timer);
      draw();
      update.done();
    },
  };
}
