const FIRST_CAPACITY_BYTES = 512;
const MOST_BYTES_PER_UNIT = 3;

/** Bytes that grow, in one piece: a list of pieces would take a multiple of the memory of what they hold. */
export class Bytes {
  #held = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What is held, which is good until the next call. */
  get view(): Buffer {
    return this.#held.subarray(0, this.#length);
  }

  /** Add a copy of some bytes. */
  append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#length += bytes.copy(this.#held, this.#length);
  }

  /** Add a text in UTF-8. */
  appendText(text: string): void {
    this.#reserve(text.length * MOST_BYTES_PER_UNIT);
    this.#length += this.#held.write(text, this.#length);
  }

  /** Keep the last bytes alone. */
  keepLast(length: number): void {
    if (this.#length > length) {
      this.#held.copyWithin(0, this.#length - length, this.#length);
      this.#length = length;
    }
  }

  /** Hold nothing, and take no memory for it. */
  clear(): void {
    this.#held = Buffer.alloc(0);
    this.#length = 0;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#held.length, FIRST_CAPACITY_BYTES));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
  }
}
