/**
 * KruxOS' capability names have dots (`filesystem.read`), function names of models cannot: there a dot is `__`, as in KruxOS' own
 * adapters. A capability whose name does not come back the same way (`a_.b`, `a__b`) has no function name, so no two ever share one.
 */

const CAPABILITY = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const MOST = 64;

/** Nothing for a name that cannot be told from another one. */
export function functionName(capability: string): string | undefined {
  const name = capability.replaceAll(".", "__");
  return CAPABILITY.test(capability) && name.length <= MOST && capabilityName(name) === capability ? name : undefined;
}

export function capabilityName(name: string): string {
  return name.replaceAll("__", ".");
}
