/** The connectors that come with the emulator. */
import type { Connector } from "./connector.ts";
import { gmail } from "./gmail.ts";

export const CONNECTORS: readonly Connector[] = [gmail];
