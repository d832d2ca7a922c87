/**
 * What a model call costs, in US dollars: by the profile's own price, else by the list of @pydantic/genai-prices, which knows the API
 * addresses of providers. What a gateway reports itself is none of this: it wins, where it is read.
 */
import type { ModelName, Usage } from "../core/messages.ts";
import { gatewayOf } from "./gateways.ts";
import { priceTables } from "./price-tables.ts";
import type { Price } from "./profile.ts";

/** Of a profile, as it was given. */
export interface Priced {
  readonly baseURL?: string;
  readonly price?: Price;
  readonly gateway?: string;
  readonly protocol?: string;
  readonly features?: object;
}

const OPENAI = "https://api.openai.com/v1";
const ANTHROPIC = "https://api.anthropic.com";

const MILLION = 1_000_000;

/** Which provider an address belongs to: the list tries 40 expressions, made anew each time. As many as there are profiles. */
const providers = new Map<string, string | undefined>();

async function providerOf(url: string): Promise<string | undefined> {
  if (!providers.has(url)) {
    const { findProvider } = await priceTables();
    providers.set(url, findProvider({ providerApiUrl: url })?.id);
  }
  return providers.get(url);
}

/** @returns nothing where nobody knows: a gateway of one's own, a new model. Loads the list (2 MB) when it is first needed. Never throws */
export async function priceOf(
  profile: Priced | undefined,
  { model }: ModelName,
  usage: Usage,
): Promise<number | undefined> {
  if (profile === undefined) return undefined;
  const { price, gateway, protocol } = profile;
  const isMessages = protocol === "messages";
  const url = profile.baseURL ?? gatewayOf(gateway, undefined)?.baseURL ?? (isMessages ? ANTHROPIC : OPENAI);
  const cached = Math.min(usage.cachedInput, usage.input);
  if (price !== undefined) {
    const { input, output, cachedInput = input } = price;
    return ((usage.input - cached) * input + cached * cachedInput + usage.output * output) / MILLION;
  }
  try {
    const providerId = await providerOf(url);
    if (providerId === undefined) return undefined;
    const { calcPrice } = await priceTables();
    const tokens = { input_tokens: usage.input, cache_read_tokens: cached, output_tokens: usage.output };
    const { promptCache = "5m" }: { promptCache?: unknown } = profile.features ?? {};
    // Only what we mark is written to a cache that is billed for it.
    const most = isMessages && promptCache !== false ? Math.min(usage.cacheWritten ?? 0, usage.input - cached) : 0;
    const written = promptCache === "1h" ? { cache_write_1h_tokens: most } : {};
    return calcPrice({ ...tokens, cache_write_tokens: most, ...written }, model, { providerId })?.total_price;
  } catch {
    return undefined;
  }
}
