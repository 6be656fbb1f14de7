import { writeSync } from "node:fs";

const STDERR = 2;

/** Write one line to stderr; where nobody reads it, the exit status says the same. */
export function complain(line: string): void {
  try {
    writeSync(STDERR, `agentloop: ${line}\n`);
  } catch {
    return;
  }
}
