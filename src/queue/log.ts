/** Our log events as pino lines. Only what `LogFields` allows gets here; errors are named, never serialised whole. */
import type { Logger } from "pino";
import type { Log } from "../ports/log.ts";

export function pinoLog(logger: Logger): Log {
  return {
    info: (event, fields) => logger.info(fields, event),
    warn: (event, fields) => logger.warn(fields, event),
    error: (event, fields) => logger.error(fields, event),
  };
}
