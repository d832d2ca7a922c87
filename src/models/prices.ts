/**
 * What a model call costs, in US dollars: by the profile's own price, else by the list of @pydantic/genai-prices, which knows the API
 * addresses of providers. What a gateway reports itself is none of this: it wins, where it is read.
 */
import type { ModelName, Usage } from "../core/messages.ts";
import { priceTables } from "./price-tables.ts";
import type { Price } from "./profile.ts";

export interface Priced {
  readonly baseURL?: string;
  readonly price?: Price;
}

const MILLION = 1_000_000;

/** @returns nothing where nobody knows: a gateway of one's own, a new model. Loads the list (2 MB) when it is first needed. Never throws */
export async function priceOf(
  profile: Priced | undefined,
  { model }: ModelName,
  usage: Usage,
): Promise<number | undefined> {
  if (profile === undefined) return undefined;
  const { price, baseURL = "https://api.openai.com/v1" } = profile;
  const cached = Math.min(usage.cachedInput, usage.input);
  if (price !== undefined) {
    const { input, output, cachedInput = input } = price;
    return ((usage.input - cached) * input + cached * cachedInput + usage.output * output) / MILLION;
  }
  try {
    const { calcPrice } = await priceTables();
    const tokens = { input_tokens: usage.input, cache_read_tokens: cached, output_tokens: usage.output };
    return calcPrice(tokens, model, { providerApiUrl: baseURL })?.total_price;
  } catch {
    return undefined;
  }
}
