/**
 * Signatures of webhooks, in the Standard Webhooks scheme: HMAC-SHA256 of `id.timestamp.body`.
 *
 * The SDK's verifyWebhookPayload is not used: it accepts an empty secret (`whsec_`), timestamps with a tail (`1700000000x`) and
 * base64 with rubbish in it; a first signature of a wrong length ends its search; its clock is fixed, and it wants a whole client.
 * What is accepted here, it accepts as well: a test holds the two against each other.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { ErrandError } from "../core/errors.ts";

export interface SignedHeaders {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: string;
  readonly signatures: readonly string[];
}

const TOLERANCE_S = 5 * 60;
/** Standard Webhooks asks for 24 bytes or more. A shorter key may be Scalekit's; one that can be guessed is a mistake. */
const LEAST_BYTES = 16;
/** HMAC-SHA256 in base64. */
const SIGNATURE_LENGTH = 44;

/** @throws ErrandError `config-missing`, `config-invalid`: never with a secret in its text */
export function secretKeys(secrets: readonly string[]): readonly Buffer[] {
  if (!Array.isArray(secrets) || secrets.length === 0)
    throw new ErrandError(
      "config-missing",
      "webhook: secrets: expected the signing secret of Scalekit's dashboard, or two while it is changed. SCALEKIT_WEBHOOK_SECRET holds them.",
    );
  if (secrets.length > 2)
    throw new ErrandError("config-invalid", `webhook: secrets: expected one or two, got ${secrets.length}.`);
  return secrets.map((secret, i) => {
    const key = secretKey(secret);
    if (key !== undefined) return key;
    throw new ErrandError("config-invalid", `webhook: secrets[${i}]: ${SECRET_SHAPE}.`);
  });
}

export const SECRET_SHAPE: string = `expected "whsec_" and the base64 of at least ${LEAST_BYTES} bytes, as Scalekit's dashboard shows it`;

/** The key that a secret stands for, or nothing if it is none. */
export function secretKey(secret: unknown): Buffer | undefined {
  const text = typeof secret === "string" ? /^[A-Za-z0-9]+_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1] : undefined;
  const key = text === undefined ? undefined : Buffer.from(text, "base64");
  return key !== undefined && key.length >= LEAST_BYTES ? key : undefined;
}

/**
 * The three headers, if they are what the scheme says, to the letter. A header that came twice is joined by a comma, and is none.
 * No dot in an id: what is signed could be cut in other places.
 */
export function signedHeaders(headers: Headers): SignedHeaders | undefined {
  const id = headers.get("webhook-id") ?? "";
  const timestamp = headers.get("webhook-timestamp") ?? "";
  const signature = headers.get("webhook-signature") ?? "";
  if (!/^[\w-]{1,128}$/.test(id) || !/^[1-9]\d{0,10}$/.test(timestamp) || signature.length > 1_000) return undefined;
  const signatures = signature.split(" ");
  return signatures.every((one) => /^v[0-9a-z]{1,8},[\w+/=-]+$/.test(one)) ? { id, timestamp, signatures } : undefined;
}

export function isTimely({ timestamp }: SignedHeaders, nowMs: number): boolean {
  return Math.abs(Math.floor(nowMs / 1000) - Number(timestamp)) <= TOLERANCE_S;
}

/** Whether one of the signatures was made with one of the keys. Takes as long whichever it is. */
export function isSigned(
  { id, timestamp, signatures }: SignedHeaders,
  body: Uint8Array,
  keys: readonly Buffer[],
): boolean {
  const given = signatures.filter((one) => one.startsWith("v1,")).map((one) => Buffer.from(one.slice(3)));
  let found = false;
  for (const key of keys) {
    const own = Buffer.from(createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64"));
    for (const one of given) if (one.length === SIGNATURE_LENGTH && timingSafeEqual(one, own)) found = true;
  }
  return found;
}
