import { milliseconds } from "./clock.js";
import { ChatFailed } from "./failures.js";
import type { Begin, Stop } from "./stop.js";

/** Bounds a completion with all its tries and pauses. */
export class Deadline {
  readonly #totalS: number;
  readonly #stop: Stop;
  readonly #timer: NodeJS.Timeout;
  #isReached = false;
  #onReached: ((failure: Error) => void) | null = null;

  /** Begin to count. */
  constructor(totalS: number, stop: Stop) {
    this.#totalS = totalS;
    this.#stop = stop;
    this.#timer = setTimeout(() => {
      this.#isReached = true;
      this.#onReached?.(this.#failure());
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
    clearTimeout(this.#timer);
  }

  #failure(): ChatFailed {
    return new ChatFailed(`no completion within ${String(this.#totalS)} s`);
  }
}
