import { milliseconds, pollOnce } from "./clock.js";
import { ChatFailed } from "./failures.js";
import type { Begin, Stop } from "./stop.js";

/** Bounds a completion with all its tries and pauses. */
export class Deadline {
  readonly #totalS: number;
  readonly #stop: Stop;
  readonly #timer: NodeJS.Timeout;
  #isReached = false;
  #isLifted = false;
  #onReached: ((failure: Error) => void) | null = null;

  /** Begin to count. */
  constructor(totalS: number, stop: Stop) {
    this.#totalS = totalS;
    this.#stop = stop;
    this.#timer = setTimeout(() => {
      void this.#reach();
    }, milliseconds(totalS));
  }

  /** Wait as `Stop.wait` does, and no longer than this; throws `ChatFailed` and `Interrupted`. */
  async wait<Value>(begin: Begin<Value>): Promise<Value> {
    return await this.#stop.wait<Value>((resolve, reject) => {
      if (this.#isReached) {
        reject(this.#failure());
        return;
      }
      this.#onReached = reject;
      begin(resolve, reject);
    });
  }

  /** Bound nothing from now on. */
  lift(): void {
    this.#isLifted = true;
    clearTimeout(this.#timer);
  }

  async #reach(): Promise<void> {
    // Node runs timers before it reads sockets; what has arrived in time may not have been read yet.
    await pollOnce();
    if (!this.#isLifted) {
      this.#isReached = true;
      this.#onReached?.(this.#failure());
    }
  }

  #failure(): ChatFailed {
    return new ChatFailed(`no completion within ${String(this.#totalS)} s`);
  }
}
