/** Tells tests what happens in the emulator, so that they wait for events and never for time. */
import { EventEmitter, setMaxListeners } from "node:events";
import type { Call } from "./calls.ts";
import type { Execution } from "./ledger.ts";
import type { IssuedLink } from "./links.ts";
import type { StatusChange } from "./accounts.ts";
import type { WebhookDelivery } from "./webhooks.ts";

export interface EmulatorEvents {
  /** A request came in; sent before it is answered. */
  call: Call;
  /** A tool did its work. */
  execute: Execution;
  /** A magic link was made. */
  link: IssuedLink;
  /** An account's status changed, or the account is new. */
  status: StatusChange;
  /** A webhook was delivered, or was not. */
  webhook: WebhookDelivery;
}

export type EventName = keyof EmulatorEvents;

export class Bus {
  readonly #emitter = new EventEmitter({ captureRejections: false }).setMaxListeners(0);
  readonly #closing: AbortSignal;

  constructor(closing: AbortSignal) {
    this.#closing = closing;
    // One for each test that waits.
    setMaxListeners(0, closing);
  }

  emit<Name extends EventName>(name: Name, event: EmulatorEvents[Name]): void {
    this.#emitter.emit(name, event);
  }

  /** Calls the listener on each event from now on. Answers a function that ends it. */
  on<Name extends EventName>(name: Name, listener: (event: EmulatorEvents[Name]) => void): () => void {
    this.#emitter.on(name, listener);
    return () => void this.#emitter.off(name, listener);
  }

  /**
   * The next event that matches. Only what happens after the call counts: call it first, then cause the event.
   * @param timeoutMs default 10,000: a test that waits in vain fails with a clear message
   */
  async waitFor<Name extends EventName>(
    name: Name,
    matches: (event: EmulatorEvents[Name]) => boolean = () => true,
    timeoutMs = 10_000,
  ): Promise<EmulatorEvents[Name]> {
    return await new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        off();
        this.#closing.removeEventListener("abort", closed);
        settle();
      };
      const closed = (): void =>
        finish(() => reject(new Error(`Scalekit emulator: closed while waiting for "${name}"`)));
      const timer = setTimeout(
        () => finish(() => reject(new Error(`Scalekit emulator: no matching "${name}" event within ${timeoutMs} ms`))),
        timeoutMs,
      );
      const off = this.on(name, (event) => {
        if (matches(event)) finish(() => resolve(event));
      });
      this.#closing.addEventListener("abort", closed);
    });
  }
}
