import { readFileSync } from "node:fs";
import { join } from "node:path";

// From dist/tests/.
const FOLDER = join(__dirname, "../../../contract/vectors");

interface Named {
  readonly name: string;
  readonly why: string;
}

/** The cases of a vector file, each with its name and why it is there. */
export function vectors<Case>(file: string): (Case & Named)[] {
  const cases = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as (Case & Named)[];
  if (cases.length === 0) {
    throw new Error(`${file} holds no case`);
  }
  return cases;
}

/** Bytes that a vector gives as text, or as base64 where they are none. */
export function bytes(text: string | undefined, base64: string | undefined): Buffer {
  return base64 === undefined ? Buffer.from(text ?? "") : Buffer.from(base64, "base64");
}
