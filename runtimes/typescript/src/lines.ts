import { closeSync, openSync, readSync } from "node:fs";

import { Bytes } from "./bytes.js";

const READ_BYTES = 64 * 1024;
const LF = 0x0a;

/**
 * The lines of a file one by one, without their LF, so that those that wait take no memory. Each is good until the
 * next is asked for. The file is named by its path or by an open descriptor.
 */
export function* linesOf(source: string | number): Generator<Buffer, undefined> {
  const file = typeof source === "number" ? source : openSync(source, "r");
  const piece = Buffer.allocUnsafeSlow(READ_BYTES);
  try {
    const unfinished = new Bytes();
    for (;;) {
      const length = readSync(file, piece);
      if (length === 0) {
        break;
      }
      let begin = 0;
      for (let end; (end = piece.subarray(0, length).indexOf(LF, begin)) >= 0; begin = end + 1) {
        unfinished.append(piece.subarray(begin, end));
        yield unfinished.view;
        unfinished.clear();
      }
      unfinished.append(piece.subarray(begin, length));
    }
    if (unfinished.length > 0) {
      yield unfinished.view;
    }
  } finally {
    closeSync(file);
  }
}
