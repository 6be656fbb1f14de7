/** `main.js run.json`: one run, from its run file to its exit status; or `main.js tools FOLDER`, the tools. */

import { complain } from "./complaint.js";
import { described, InvalidInput } from "./failures.js";
import { perform } from "./run.js";
import { serve } from "./tools-command.js";

const USAGE = "usage: node dist/src/main.js run.json, or node dist/src/main.js tools FOLDER";

async function main(words: readonly string[]): Promise<number> {
  const [first, second, ...others] = words;
  if (first === "tools" && second !== undefined && others.length === 0) {
    await serve(second);
    return 0;
  }
  if (first === undefined || second !== undefined) {
    throw new InvalidInput(`${String(words.length)} run files are given and one is needed; ${USAGE}`);
  }
  return await perform(first);
}

async function exitStatus(words: readonly string[]): Promise<number> {
  try {
    return await main(words);
  } catch (failure) {
    complain(described(failure));
    return failure instanceof InvalidInput ? 2 : 1;
  }
}

void exitStatus(process.argv.slice(2)).then((status) => {
  // Not left to the end of the event loop: taken down with it, the handlers of signals would let one decide the status.
  process.exit(status);
});
