/** Makes a foreign text safe to store and to show. */
export { safeText } from "../core/safe-text.ts";
