import { milliseconds, now } from "./clock.js";
import { Interrupted } from "./failures.js";

/** Begins something that ends by a call of one of two functions. */
export type Begin<Value> = (resolve: (value: Value) => void, reject: (failure: Error) => void) => void;

/** Tells everything that waits that the run is to end. An AbortSignal would take more memory for each that waits. */
export class Stop {
  readonly #listeners = new Set<() => void>();
  #stopped = false;
  #reason: unknown = null;

  get stopped(): boolean {
    return this.#stopped;
  }

  /** What was given to the first `begin`. */
  get reason(): unknown {
    return this.#reason;
  }

  /** End all waits, for a reason; what comes after the first is passed over. */
  begin(reason: unknown): void {
    if (!this.#stopped) {
      this.#stopped = true;
      this.#reason = reason;
      for (const listener of [...this.#listeners]) {
        listener();
      }
    }
  }

  /** Call `listener` at the stop, unless the function that is returned is called before it. */
  onStop(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Throw `Interrupted` if the run is to end. */
  check(): void {
    if (this.#stopped) {
      throw new Interrupted("interrupted");
    }
  }

  /** Begin something and wait until it calls one of the functions it is given; throws `Interrupted` at the stop. */
  async wait<Value>(begin: Begin<Value>): Promise<Value> {
    this.check();
    let forget: (() => void) | undefined;
    try {
      return await new Promise<Value>((resolve, reject) => {
        forget = this.onStop(() => {
          reject(new Interrupted("interrupted"));
        });
        begin(resolve, reject);
      });
    } finally {
      forget?.();
    }
  }

  /** Wait until a time of CLOCK_MONOTONIC, never less; throws `Interrupted` at the stop. */
  async waitUntil(time: bigint): Promise<void> {
    // Again, because a timer of Node may fire early: it counts whole milliseconds from when the turn of the loop began.
    for (let left; (left = time - now()) > 0n; ) {
      const delay = milliseconds(Number(left) / 1e9);
      let timer: NodeJS.Timeout | undefined;
      try {
        await this.wait((resolve: (value: null) => void) => {
          timer = setTimeout(resolve, delay, null);
        });
      } finally {
        clearTimeout(timer);
      }
    }
  }
}
