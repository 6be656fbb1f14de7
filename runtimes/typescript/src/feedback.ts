/**
 * Makes what the tests printed fit to be shown to a model, and the same wherever the same test fails.
 *
 * Source: runtimes/contract/vectors/feedback.json.
 */

import { stripEnd } from "./white-space.js";

const LIMIT_BYTES = 4000;

const DURATION = String.raw` in [0-9]+\.[0-9]+s(?: \([0-9a-z,: ]+\))?`;
// pytest makes this line as wide as the screen, so how many signs there are depends on the duration.
const WIDE_SUMMARY = new RegExp(`^=+ (.*)${DURATION} =+$`);
const REPLACEMENTS: readonly (readonly [RegExp, string])[] = [
  [new RegExp(DURATION, "g"), ""],
  [/ at 0x[0-9a-fA-F]+/g, " at 0x0"],
  [/\/pytest-of-[^/ \t\n\r\v\f]+\/pytest-[0-9]+/g, "/pytest"],
  [/(^|[ \t\n\r\v\f'"(])[^ \t\n\r\v\f'"(]*\/lib\/python3\.[0-9]+\//g, "$1lib/python3/"],
];

/**
 * stdout, then stderr, without what differs from run to run: the last 4,000 bytes of it at most.
 *
 * `workspace` is the absolute path of the folder in which the tests ran.
 */
export function normalise(stdout: Buffer, stderr: Buffer, workspace: string): string {
  const separator = stdout.length > 0 && stderr.length > 0 ? "\n" : "";
  let text = Buffer.concat([stdout, Buffer.from(separator), stderr])
    .toString()
    .replaceAll("\r\n", "\n")
    .replaceAll(`${workspace}/`, "")
    .replaceAll(workspace, ".");
  // Line by line, because to a RegExp of JavaScript a CR and U+2028 end lines too.
  text = text
    .split("\n")
    .map((line) => withoutWidth(line))
    .join("\n");
  for (const [varying, constant] of REPLACEMENTS) {
    text = text.replace(varying, constant);
  }
  return lastBytes(stripEnd(text));
}

function withoutWidth(line: string): string {
  return line.startsWith("=") ? line.replace(WIDE_SUMMARY, "$1") : line;
}

function lastBytes(text: string): string {
  const bytes = Buffer.from(text);
  let begin = Math.max(0, bytes.length - LIMIT_BYTES);
  while (begin > 0 && isContinuation(bytes[begin])) {
    begin++;
  }
  return begin === 0 ? text : bytes.toString("utf8", begin);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
