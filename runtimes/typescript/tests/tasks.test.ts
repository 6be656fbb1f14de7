/** The tasks file. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";

import { InvalidInput } from "../src/failures.js";
import { loadTasks } from "../src/tasks.js";

/** Write a file of one task whose line ends with `rest`, and return its path. */
function fileOf(context: TestContext, rest: string): string {
  const folder = mkdtempSync(join(tmpdir(), "agentloop-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, "tasks");
  writeFileSync(path, `{"task_id": "a", "prompt": "p", "tests": "t", "entry_point": "f"${rest}}\n`);
  return path;
}

suite("start_after_ns", () => {
  for (const [rest, startAfterNs] of [
    ["", 0n],
    [', "start_after_ns": 0', 0n],
    [', "start_after_ns": 1500000000', 1_500_000_000n],
    [', "start_after_ns": 9223372036854775807', 2n ** 63n - 1n],
  ] as const) {
    test(`is ${String(startAfterNs)} for ${JSON.stringify(rest)}`, (context) => {
      const path = fileOf(context, rest);
      assert.deepEqual(
        [...loadTasks(path)],
        [{ taskId: "a", prompt: "p", tests: "t", entryPoint: "f", startAfterNs }],
      );
    });
  }

  for (const value of ["-1", "1.5", "9223372036854775808", '"1"', "null", "true", "[]"]) {
    test(`cannot be ${value}`, (context) => {
      const path = fileOf(context, `, "start_after_ns": ${value}`);
      assert.throws(
        () => [...loadTasks(path)],
        new InvalidInput(
          `${path}, line 1: start_after_ns is ${value}; it must be an integer of at least 0, and below 2^63`,
        ),
      );
    });
  }
});
