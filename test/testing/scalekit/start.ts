/** Starts an emulator for one test, with the real SDK pointed at it. */
import type { TestContext } from "node:test";
import { ScalekitClient } from "@scalekit-sdk/node";
import { parseMail, type Mail } from "../../../src/testing/mailbox/mail.ts";
import { startScalekitEmulator, type ScalekitEmulator } from "../../../src/testing/scalekit/emulator.ts";
import type { ScalekitEmulatorOptions } from "../../../src/testing/scalekit/options.ts";

export interface Started {
  readonly scalekit: ScalekitEmulator;
  readonly client: ScalekitClient;
}

export async function start(t: TestContext, options: ScalekitEmulatorOptions = {}): Promise<Started> {
  const scalekit = await startScalekitEmulator(options);
  t.after(async () => await scalekit.close());
  return { scalekit, client: newClient(scalekit) };
}

export function newClient(scalekit: ScalekitEmulator): ScalekitClient {
  return new ScalekitClient(scalekit.url, scalekit.clientId, scalekit.clientSecret, {
    timeoutMs: 5000,
    toolTimeoutMs: 5000,
  });
}

export async function mail(subject: string, body = "Hello", from = "ann@example.org"): Promise<Mail> {
  const lines = [
    `From: ${from}`,
    "To: you@example.com",
    `Subject: ${subject}`,
    `Message-ID: <${subject.replaceAll(/\W/g, "-")}@example.org>`,
    "Date: Thu, 22 Aug 2002 12:36:23 +0000",
  ];
  return await parseMail(`${lines.join("\r\n")}\r\n\r\n${body}\r\n`);
}
