/** Ten thousand forged returns, ten thousand forged webhooks: none is accepted. One seed is one list of forgeries. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { ScalekitClient } from "@scalekit-sdk/node";
import { signWebhook } from "../../src/testing/index.ts";
import { back, BASE, out, pageOf, statusOf, world } from "./app.ts";
import { type Message, message, OLD_SECRET, receiver, SECRET, URL_OF_IT } from "./webhook-support.ts";

const MANY = 10_000;
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Whole numbers below a bound, the same ones in every run. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

type Dice = ReturnType<typeof dice>;

const any = <T>(roll: Dice, list: readonly [T, ...T[]]): T => list[roll(list.length)] ?? list[0];

function noise(roll: Dice, most = 60): string {
  return Array.from({ length: roll(most) }, () => String.fromCodePoint(32 + roll(300))).join("");
}

/** One character changed, gone, doubled or added. Never the same text. */
function bent(roll: Dice, text: string): string {
  const at = roll(text.length);
  const other = BASE64[(BASE64.indexOf(text[at] ?? "") + 1 + roll(62)) % 64] ?? "A";
  const [before, after] = [text.slice(0, at), text.slice(at + 1)];
  return any(roll, [before + other + after, before + after, text.slice(0, at + 1) + text.slice(at), text + other]);
}

test(
  "forged returns: guesses, other users' states, other users' requests, no session",
  { timeout: 60_000 },
  async (t) => {
    const on = await world(t);
    const roll = dice(1);
    const signedInAs = async (user: string): Promise<URL> => {
      on.signIn(user);
      return back(on);
    };
    let ada = await signedInAs("ada");
    let mallory = await signedInAs("mallory");
    const statuses = new Map<number, number>();
    const visit = async (user: string | null, query: Record<string, string>, path = "/callback"): Promise<void> => {
      on.signIn(user);
      const { status } = await on.get(`${BASE}${path}?${new URLSearchParams(query).toString()}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    };
    for (let i = 0; i < MANY; i++) {
      const state = ada.searchParams.get("state") ?? "";
      const request = ada.searchParams.get("auth_request_id") ?? "";
      if (i % 200 === 0) {
        // Mallory's own link, opened by ada, and ada's used with a request that is Mallory's: both are used up by it.
        await visit("ada", Object.fromEntries(mallory.searchParams));
        await visit("ada", {
          state,
          auth_request_id: any(roll, [mallory.searchParams.get("auth_request_id") ?? "", "x"]),
        });
        [ada, mallory] = [await signedInAs("ada"), await signedInAs("mallory")];
        continue;
      }
      const hash = createHash("sha256").update(state).digest("hex");
      await any<() => Promise<void>>(roll, [
        () => visit("ada", { state: bent(roll, state), auth_request_id: request }),
        () => visit("ada", { state: any(roll, [hash, request, state.toUpperCase(), ` ${state}`, `${state}\n`]) }),
        () => visit("ada", { state: noise(roll), auth_request_id: any(roll, [request, noise(roll)]) }),
        () => visit("ada", { state: noise(roll), auth_request_id: request, error: noise(roll), identifier: "ada" }),
        () => visit("ada", { auth_request_id: request, identifier: "ada", user: "ada" }),
        () => visit(null, { state, auth_request_id: request }),
        () =>
          visit("ada", { state, auth_request_id: request }, any(roll, ["/callback/", "/callbac", "//callback", "/x"])),
        () => visit("ada", { [any(roll, ["State", "state[]", "state ", "stat"])]: state, auth_request_id: request }),
      ])();
    }
    assert.deepEqual(
      [...statuses.keys()].toSorted((a, b) => a - b),
      [401, 403, 404],
    );
    assert.deepEqual(on.returned, []);
    assert.deepEqual([statusOf(on), statusOf(on, "mallory")], ["PENDING_VERIFICATION", "PENDING_VERIFICATION"]);
    // And the real one still works: nothing was used up that should not have been.
    on.signIn("ada");
    await pageOf(await on.get(ada.href), 200, true);
    assert.equal((await out(on)).startsWith(on.emulator.url), true);
  },
);

type Forge = (roll: Dice, real: Message) => Message;

const head = ({ headers }: Message, name: string): string => headers[`webhook-${name}`] ?? "";

const withHeader = (real: Message, name: string, value: string): Message => ({
  ...real,
  headers: { ...real.headers, [`webhook-${name}`]: value },
});

const signWith = (real: Message, key: string | Buffer, encoding: "base64" | "hex" = "base64"): string =>
  createHmac("sha256", key)
    .update(`${head(real, "id")}.${head(real, "timestamp")}.${String(real.body)}`)
    .digest(encoding);

/** The last character of 43 carries four bits: three others stand for the same bytes. */
function sameBytes(roll: Dice, signature: string): string {
  const last = signature.length - 2;
  const value = BASE64.indexOf(signature[last] ?? "");
  return `${signature.slice(0, last)}${BASE64[value - (value % 4) + ((value + 1 + roll(3)) % 4)]}=`;
}

const FORGERIES: Readonly<Record<string, Forge>> = {
  "signature bent": (roll, real) => withHeader(real, "signature", `v1,${bent(roll, head(real, "signature").slice(3))}`),
  "signature of the same bytes": (roll, real) =>
    withHeader(real, "signature", sameBytes(roll, head(real, "signature"))),
  "signature with rubbish": (roll, real) => {
    const at = 3 + roll(40);
    const signature = head(real, "signature");
    const rubbish = any(roll, ["\t", "!", ".", "=", "-", "%20"]);
    return withHeader(real, "signature", signature.slice(0, at) + rubbish + signature.slice(at));
  },
  "signature twice": (roll, real) => {
    const signature = head(real, "signature");
    return withHeader(real, "signature", any(roll, [`${signature}, ${signature}`, `${signature},`, `x, ${signature}`]));
  },
  "another version": (roll, real) =>
    withHeader(real, "signature", head(real, "signature").replace("v1", any(roll, ["v2", "v1a", "V1", "", "v"]))),
  "another secret": (roll, real) => {
    const keys = [Buffer.alloc(0), Buffer.from("guess"), SECRET, SECRET.slice(6), OLD_SECRET] as const;
    return withHeader(real, "signature", `v1,${signWith(real, any<string | Buffer>(roll, [...keys]))}`);
  },
  "hex, as a guide of theirs has it": (roll, real) => {
    const hex = signWith(real, Buffer.from(SECRET.slice(6), "base64"), "hex");
    return withHeader(real, "signature", any(roll, [`v1,${hex}`, `t=${head(real, "timestamp")},v1=${hex}`, hex]));
  },
  "another id": (roll, real) => withHeader(real, "id", any(roll, [bent(roll, head(real, "id")), "", "evt_1, evt_1"])),
  "cut in other places": (_roll, real) => withHeader(real, "id", `${head(real, "id")}.${head(real, "timestamp")}`),
  "another time": (roll, real) => {
    const at = Number(head(real, "timestamp"));
    const other = any(roll, [
      at + 1 + roll(200),
      at - 1 - roll(200),
      `${at}x`,
      `0${at}`,
      `${at}.5`,
      `${at}, ${at}`,
      -at,
    ]);
    return withHeader(real, "timestamp", String(other));
  },
  "well signed, but not now": (roll, real) => {
    const away = (301 + 1 + roll(1_000_000)) * 1_000 * any(roll, [1, -1]);
    const headers = signWebhook([SECRET], head(real, "id"), String(real.body), Date.now() + away);
    return { body: real.body, headers };
  },
  "another body": (roll, real) => ({ ...real, body: bent(roll, String(real.body)) }),
  "another user": (roll, real) => ({
    ...real,
    body: String(real.body).replace("ada", any(roll, ["eve", "adb", "\\u0061da", "ada "])),
  }),
  "other bytes": (roll, real) => {
    const bytes = Buffer.from(String(real.body));
    const at = roll(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << roll(8));
    return { ...real, body: bytes };
  },
  "a header missing": (roll, { headers, body }) => {
    const name = `webhook-${any(roll, ["id", "timestamp", "signature"])}`;
    return { body, headers: Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name)) };
  },
  "headers of another message": (roll, real) =>
    withHeader(real, any(roll, ["id", "signature"]), head(message(), any(roll, ["id", "signature"]))),
};

test("forged webhooks: of every kind, with one secret and with two", { timeout: 60_000 }, async (t) => {
  const receivers = [receiver(t), receiver(t, { secrets: [`whsec_${"Ab0+".repeat(8)}`, SECRET] })] as const;
  const roll = dice(2);
  const kinds = Object.entries(FORGERIES);
  for (let i = 0; i < MANY; i++) {
    const [name, forge] = kinds[i % kinds.length] ?? ["", (_: Dice, real: Message) => real];
    const forged = forge(roll, message());
    const on = any(roll, receivers);
    const { status } = await on.post(forged);
    assert.equal(status, 401, `${name}: ${JSON.stringify(forged.headers)}`);
  }
  for (const on of receivers) {
    assert.deepEqual([await on.heard(), await on.asked()], [0, []]);
    // And a real one is heard.
    assert.equal((await on.post(message())).status, 200);
    assert.equal(await on.heard(), 1);
  }
});

test("a header that comes twice, also with the same value, makes it nobody's", async (t) => {
  const on = receiver(t);
  for (const name of ["id", "timestamp", "signature"]) {
    const real = message();
    const headers = new Headers(real.headers);
    headers.append(`webhook-${name}`, head(real, name));
    const request = new Request(URL_OF_IT, { method: "POST", headers, body: String(real.body) });
    assert.equal((await on.handler(request)).status, 401);
  }
  assert.equal(await on.heard(), 0);
});

test("what is heard here, the SDK verifies as well; some that it verifies are refused here", async (t) => {
  const on = receiver(t);
  const sdk = new ScalekitClient("https://example.scalekit.dev", "skc_1", "secret");
  const verified = ({ headers, body }: Message): boolean => {
    try {
      return sdk.verifyWebhookPayload(SECRET, { ...headers }, String(body));
    } catch {
      return false;
    }
  };
  const roll = dice(3);
  const kinds = Object.values(FORGERIES);
  const laxer = new Set<string>();
  for (let i = 0; i < 1_600; i++) {
    const sent =
      i % 4 === 0
        ? message({ secrets: any(roll, [[SECRET], [OLD_SECRET, SECRET], [SECRET, OLD_SECRET]]) })
        : (kinds[i % kinds.length] ?? ((_, real) => real))(roll, message());
    const heard = (await on.post(sent)).status === 200;
    assert.equal(heard, i % 4 === 0);
    if (heard) assert.equal(verified(sent), true);
    else if (verified(sent)) laxer.add(Object.keys(FORGERIES)[i % kinds.length] ?? "");
  }
  assert.equal(laxer.has("signature of the same bytes"), true, [...laxer].join());
});
