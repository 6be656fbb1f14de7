import { readFileSync } from "node:fs";

const FOLDER = new URL("../../../contract/vectors/", import.meta.url);

interface Named {
  readonly name: string;
  readonly why: string;
}

/** The cases of a vector file, each with its name and why it is there. */
export function vectors<Case>(file: string): (Case & Named)[] {
  const cases = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as (Case & Named)[];
  if (cases.length === 0) {
    throw new Error(`${file} holds no case`);
  }
  return cases;
}

/** Bytes that a vector gives as text, or as base64 where they are none. */
export function bytes(text: string | undefined, base64: string | undefined): Buffer {
  return base64 === undefined ? Buffer.from(text ?? "") : Buffer.from(base64, "base64");
}
