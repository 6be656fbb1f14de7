/**
 * `main.js tools FOLDER`: a line of JSON for every call of a tool.
 *
 * Source: runtimes/CONTRACT.md, "Tools".
 */

import { realpathSync, statSync, writeSync } from "node:fs";

import { closeInheritedDescriptors } from "./descriptors.js";
import { inOneLine, isSystemFailure, ToolRefused, InvalidInput } from "./failures.js";
import { Fields } from "./fields.js";
import { linesOf } from "./lines.js";
import { Stop } from "./stop.js";
import { ToolDispatcher } from "./tools.js";

const STDIN = 0;
const STDOUT = 1;

/** Answer each call in order, in the workspace `folder`; throws `InvalidInput`. */
export async function serve(folder: string): Promise<void> {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new InvalidInput(`${folder}: is no folder; name the workspace that the tools are to work in`);
  }
  closeInheritedDescriptors();
  const tools = new ToolDispatcher(realpathSync(folder));
  for (const line of linesOf(STDIN)) {
    answer(JSON.stringify(await outcome(line, tools)));
  }
}

async function outcome(
  line: Buffer,
  tools: ToolDispatcher,
): Promise<{ result: unknown } | { error: string }> {
  try {
    return { result: await call(Fields.ofBytes("call", line), tools) };
  } catch (failure) {
    if (failure instanceof ToolRefused || failure instanceof InvalidInput || isSystemFailure(failure)) {
      return { error: inOneLine(failure.message) };
    }
    throw failure;
  }
}

async function call(fields: Fields, tools: ToolDispatcher): Promise<unknown> {
  switch (fields.text("tool")) {
    case "write_file":
      tools.writeFile(fields.text("path"), fields.text("content"));
      return null;
    case "read_file":
      return tools.readFile(fields.text("path"));
    case "list_dir":
      return tools.listDir(fields.text("path"));
    case "search":
      return tools.search(fields.text("text"), fields.text("path"));
    case "bash":
      return await bash(fields, tools);
    default:
      throw fields.invalidInput("tool", "write_file, read_file, list_dir, search or bash");
  }
}

async function bash(fields: Fields, tools: ToolDispatcher): Promise<unknown> {
  const limits = {
    env: fields.environment("env"),
    timeoutS: fields.positive("timeout_s"),
    outputLimitBytes: fields.integer("output_limit_bytes", 1),
  };
  const finished = await tools.bash(fields.text("command"), limits, new Stop());
  return {
    stdout: finished.stdout.toString(),
    stderr: finished.stderr.toString(),
    exit_code: finished.exitCode,
    signal: finished.signal,
    timed_out: finished.timedOut,
  };
}

function answer(json: string): void {
  let rest = Buffer.from(`${json}\n`);
  while (rest.length > 0) {
    rest = rest.subarray(writeSync(STDOUT, rest));
  }
}
