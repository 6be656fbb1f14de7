import type { Stop } from "./stop.js";

/** A number of places that are taken and given back, first come, first served. */
export class Slots {
  #free: number;
  readonly #queue = new Set<() => void>();
  readonly #stop: Stop;

  constructor(slots: number, stop: Stop) {
    this.#free = slots;
    this.#stop = stop;
  }

  /** Wait for a place; throws `Interrupted`. */
  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await this.#stop.wait((resolve: (value: null) => void) => {
      this.#queue.add(() => {
        resolve(null);
      });
    });
  }

  /** Hand the place to whoever has waited longest. */
  giveBack(): void {
    for (const next of this.#queue) {
      this.#queue.delete(next);
      next();
      return;
    }
    this.#free++;
  }
}
