/** From the options of a command to an Errand: its config file, its environment. */
import { createErrand, type Errand, type ErrandOptions, loadConfig, type LoadOptions } from "../index.ts";
import { given, type GlobalArgs, type Io } from "./io.ts";

export interface Opened {
  readonly errand: Errand;
  readonly options: ErrandOptions;
}

/** @throws ErrandError `config-missing`, `config-invalid`, `agent-invalid` */
export async function open(args: GlobalArgs, io: Io, how: LoadOptions = {}): Promise<Opened> {
  const options = await load(args, io, how);
  return { errand: createErrand(options), options };
}

/** @throws ErrandError `config-missing`, `config-invalid` */
export async function load(args: GlobalArgs, io: Io, how: LoadOptions = {}): Promise<ErrandOptions> {
  const { options } = await loadConfig({ ...how, ...given({ file: args.config, cwd: io.cwd, env: io.env }) });
  return options;
}
