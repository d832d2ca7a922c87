/** From connection names to connectors. */
import { CONNECTORS } from "../connectors/index.ts";
import type { Connection } from "./accounts.ts";
import type { ConnectionOptions } from "./options.ts";

export function resolveConnections(
  given: readonly (string | ConnectionOptions)[],
  newId: (prefix: string) => string,
): readonly Connection[] {
  return given.map((entry) => {
    const { name, connector } = typeof entry === "string" ? { name: entry, connector: entry } : entry;
    const found = typeof connector === "string" ? CONNECTORS.find((known) => known.name === connector) : connector;
    if (found === undefined) {
      const known = CONNECTORS.map((one) => one.name).join(", ");
      throw new Error(
        `Scalekit emulator: connection "${name}" needs a connector: expected one of ${known}, or one made with defineConnector`,
      );
    }
    return { id: newId("conn"), name, connector: found };
  });
}
