/**
 * Judges an attempt by its exit code and by the summary that pytest printed.
 *
 * Source: runtimes/contract/vectors/verdicts.json.
 */

import { stripEnd } from "./white-space.js";

export type Judgement = "passed" | "failed" | "unproven" | "no_summary" | "timed_out";

const ESCAPE_SEQUENCE = /\x1b\[[0-?]*[ -/]*[@-~]/g;
const COUNT = "[0-9]+ (?:passed|failed|errors?|skipped|xfailed|xpassed|warnings?|deselected|reruns?)";
const SUMMARY = new RegExp(
  String.raw`^(?:=+ )?(${COUNT}(?:, ${COUNT})*|no tests ran) in [0-9]+\.[0-9]+s(?: \([0-9a-z,: ]+\))?(?: =+)?$`,
);
const HARMLESS = new Set(["passed", "warning", "warnings"]);

/**
 * Judge what the verifier did; `exitCode` is null when a signal ended it.
 *
 * The exit code alone proves nothing: a solution that calls `os._exit(0)` exits with 0, and so does a test module
 * that skips itself.
 */
export function judge(exitCode: number | null, timedOut: boolean, stdout: Buffer): Judgement {
  if (timedOut) {
    return "timed_out";
  }
  const counts = summaryCounts(stdout);
  if (counts === null) {
    return "no_summary";
  }
  const counted = (...names: string[]): boolean => names.some((name) => (counts.get(name) ?? 0n) > 0n);
  if (counted("failed", "error", "errors")) {
    return "failed";
  }
  if (!counted("passed") || [...counts.keys()].some((name) => !HARMLESS.has(name))) {
    return "unproven";
  }
  return exitCode === 0 ? "passed" : "failed";
}

/** The counts of the last line that is a summary as a whole, by name; null without one. */
function summaryCounts(stdout: Buffer): Map<string, bigint> | null {
  const lines = stdout.toString().split("\n");
  for (const line of lines.reverse()) {
    const [, summary] = SUMMARY.exec(stripEnd(line.replace(ESCAPE_SEQUENCE, ""))) ?? [];
    if (summary !== undefined) {
      const counts = [...summary.matchAll(/([0-9]+) ([a-z]+)/g)];
      return new Map(counts.map(([, number, name]) => [name ?? "", BigInt(number ?? 0)]));
    }
  }
  return null;
}
