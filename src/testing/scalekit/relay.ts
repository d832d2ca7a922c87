/**
 * Stands before the server and passes bytes on, so that connections can go silent without being closed: what a client
 * sees when a network path dies under an idle connection.
 */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { isHttp2Preface } from "./preface.ts";

export interface Relay {
  readonly port: number;
  /** HTTP/2 connections open now never pass another byte; new ones work. */
  freeze(): void;
  close(): Promise<void>;
}

interface Passage {
  readonly near: Socket;
  readonly far: Socket;
  isHttp2: boolean;
  frozen: boolean;
}

export async function startRelay(port: number, target: number): Promise<Relay> {
  const passages = new Set<Passage>();
  const front = createServer((near) => {
    const passage: Passage = { near, far: connect(target, "127.0.0.1"), isHttp2: false, frozen: false };
    passages.add(passage);
    open(passage, () => passages.delete(passage));
  });
  await new Promise<void>((resolve, reject) => {
    front.once("error", reject);
    front.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (front.address() as AddressInfo).port,
    freeze() {
      for (const passage of passages) if (passage.isHttp2) freeze(passage);
    },
    async close() {
      await new Promise<void>((resolve) => {
        front.close(() => resolve());
        for (const { near } of passages) near.destroy();
      });
    },
  };
}

function open(passage: Passage, ended: () => void): void {
  const { near, far } = passage;
  near.once("data", (first: Buffer) => {
    passage.isHttp2 = isHttp2Preface(first);
  });
  near
    .on("error", () => undefined)
    .on("close", () => {
      far.destroy();
      ended();
    });
  // a frozen passage must not tell the client that the other end is gone
  far
    .on("error", () => undefined)
    .on("close", () => {
      if (!passage.frozen) near.destroy();
    });
  near.pipe(far);
  far.pipe(near);
}

function freeze(passage: Passage): void {
  passage.frozen = true;
  passage.near.unpipe(passage.far).pause();
  passage.far.unpipe(passage.near).pause();
}
