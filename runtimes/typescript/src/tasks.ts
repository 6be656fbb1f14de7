/** The tasks file: JSON lines, one coding problem each. */

import { isSystemFailure, InvalidInput } from "./failures.js";
import { Fields } from "./fields.js";
import { linesOf } from "./lines.js";

/** One coding problem: the specification in `prompt`, and the pytest module that a solution must pass. */
export interface Task {
  readonly taskId: string;
  readonly prompt: string;
  readonly tests: string;
  /** The name that a solution must define. */
  readonly entryPoint: string;
  /** How long after the beginning of the run the task may be begun, in nanoseconds. */
  readonly startAfterNs: bigint;
}

/** The tasks of a file one by one; throws `InvalidInput`. */
export function* loadTasks(path: string): Generator<Task, undefined> {
  let number = 0;
  try {
    for (const line of linesOf(path)) {
      const fields = Fields.ofBytes(`${path}, line ${String(++number)}`, line);
      yield {
        taskId: fields.text("task_id"),
        prompt: fields.text("prompt"),
        tests: fields.text("tests"),
        entryPoint: fields.text("entry_point"),
        startAfterNs: fields.nanoseconds("start_after_ns"),
      };
    }
  } catch (failure) {
    if (!isSystemFailure(failure)) {
      throw failure;
    }
    throw new InvalidInput(`${path}: cannot be read (${failure.message}); name a UTF-8 file that is there`);
  }
}

/** Count the tasks; throws `InvalidInput` when there are none, one does not load, or two have the same name. */
export function checkTasks(path: string): number {
  const seen = new Set<string>();
  for (const { taskId } of loadTasks(path)) {
    if (seen.has(taskId)) {
      throw new InvalidInput(
        `${path}: task_id ${JSON.stringify(taskId)} is there twice; give every task its own`,
      );
    }
    seen.add(taskId);
  }
  if (seen.size === 0) {
    throw new InvalidInput(`${path}: holds no task; write one JSON object a line there`);
  }
  return seen.size;
}
