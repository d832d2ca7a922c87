/** The KruxOS emulator's public names. */
export { type Capability, CapabilityFailure, type KruxosInput, type KruxosWorld, type Tier } from "./capabilities.ts";
export { type KruxosEmulator, type KruxosEmulatorOptions, type KruxosFault, startKruxosEmulator } from "./emulator.ts";
