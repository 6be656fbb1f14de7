/**
 * Server-sent events.
 *
 * Source: the WHATWG HTML standard, "Parsing an event stream", and runtimes/contract/vectors/sse.json.
 */

import { Bytes } from "./bytes.js";

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const DATA = Buffer.from("data");
const BYTE_ORDER_MARK = Buffer.from("\ufeff");

/**
 * Turns the bytes of an event stream, cut anywhere, into the data of its events.
 *
 * The types, ids and retry times of events are of no use here and are passed over.
 */
export class EventStream {
  readonly #onData: (data: string) => void;
  readonly #unfinishedLine = new Bytes();
  #data: string | null = null;
  #atStart = true;
  #afterCr = false;

  /** `onData` gets the data of every event, as soon as it is complete. */
  constructor(onData: (data: string) => void) {
    this.#onData = onData;
  }

  /** Take in some bytes. The buffer may be used again afterwards. */
  feed(bytes: Buffer): void {
    if (bytes.length === 0) {
      return;
    }
    let begin = this.#afterCr && bytes[0] === LF ? 1 : 0;
    this.#afterCr = false;
    let lf = bytes.indexOf(LF, begin);
    let cr = bytes.indexOf(CR, begin);
    while (lf >= 0 || cr >= 0) {
      const end = cr < 0 || (lf >= 0 && lf < cr) ? lf : cr;
      this.#endLine(bytes, begin, end);
      begin = end + 1;
      if (end === cr) {
        this.#afterCr = begin === bytes.length;
        begin += bytes[begin] === LF ? 1 : 0;
        cr = bytes.indexOf(CR, begin);
      }
      // Sought only where the last one lies behind, so that a long run without either is looked at once.
      if (lf >= 0 && lf < begin) {
        lf = bytes.indexOf(LF, begin);
      }
    }
    if (begin < bytes.length) {
      this.#unfinishedLine.append(bytes.subarray(begin));
    }
  }

  #endLine(bytes: Buffer, begin: number, end: number): void {
    if (this.#unfinishedLine.length === 0) {
      this.#takeLine(bytes, begin, end);
      return;
    }
    this.#unfinishedLine.append(bytes.subarray(begin, end));
    const line = this.#unfinishedLine.view;
    this.#unfinishedLine.clear();
    this.#takeLine(line, 0, line.length);
  }

  #takeLine(bytes: Buffer, lineBegin: number, end: number): void {
    let begin = lineBegin;
    if (this.#atStart) {
      this.#atStart = false;
      begin += startsWith(bytes, BYTE_ORDER_MARK, begin, end) ? BYTE_ORDER_MARK.length : 0;
    }
    if (begin === end) {
      const data = this.#data;
      this.#data = null;
      if (data !== null) {
        this.#onData(data);
      }
      return;
    }
    const afterName = begin + DATA.length;
    if (!startsWith(bytes, DATA, begin, end) || (afterName < end && bytes[afterName] !== COLON)) {
      return;
    }
    const value = afterName + (bytes[afterName + 1] === SPACE ? 2 : 1);
    const text = value < end ? bytes.toString("utf8", value, end) : "";
    this.#data = this.#data === null ? text : `${this.#data}\n${text}`;
  }
}

function startsWith(bytes: Buffer, prefix: Buffer, begin: number, end: number): boolean {
  return (
    end - begin >= prefix.length &&
    bytes.compare(prefix, 0, prefix.length, begin, begin + prefix.length) === 0
  );
}
