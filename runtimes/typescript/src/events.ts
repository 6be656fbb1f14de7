/**
 * The event file.
 *
 * Source: runtimes/CONTRACT.md, "Events".
 */

import { openSync, writeSync } from "node:fs";

import { now } from "./clock.js";
import { EventFileFailed } from "./failures.js";
import type { Judgement } from "./verdict.js";

export type Verdict = Judgement | "no_code" | "error" | "interrupted";
export type Outcome = "passed" | "failed" | "error";

/**
 * The record of one attempt, stamped by everything that works on it.
 *
 * Times are integer nanoseconds of CLOCK_MONOTONIC, null while the phase has not happened.
 */
export class Attempt {
  readonly task: string;
  readonly attempt: number;
  readonly tBegin: bigint;
  tRequest: bigint | null = null;
  tFirst: bigint | null = null;
  tLast: bigint | null = null;
  tQueue: bigint | null = null;
  tSpawn: bigint | null = null;
  tStarted: bigint | null = null;
  tExit: bigint | null = null;
  tEnd: bigint | null = null;
  transportRetries = 0;
  transportNs = 0n;
  requestSha256: string | null = null;
  completionSha256: string | null = null;
  /** The endpoint's usage object as JSON. */
  usage: string | null = null;
  exitCode: number | null = null;
  signal: number | null = null;
  timedOut = false;
  verdict: Verdict = "error";
  reason: string | null = null;

  constructor(task: string, attempt: number, tBegin: bigint) {
    this.task = task;
    this.attempt = attempt;
    this.tBegin = tBegin;
  }
}

/** A file of JSON lines, each written by one system call so that a reader never waits for one. */
export class EventFile {
  readonly #path: string;
  readonly #descriptor: number;

  /** Create the file; throws a system failure, also when it is there already: two runs never share one. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, "ax");
  }

  /** Write that the run begins, and return when; this and the others throw `EventFileFailed`. */
  runStart(contractVersion: number): bigint {
    const t = now();
    this.#write(
      `{"event":"run_start","t":${String(t)},"contract_version":${String(contractVersion)},` +
        `"pid":${String(process.pid)}}`,
    );
    return t;
  }

  /** Write what is known of an attempt that is over. */
  attempt(over: Attempt): void {
    this.#write(
      `{"event":"attempt","task":${JSON.stringify(over.task)},"attempt":${String(over.attempt)},` +
        `"t_begin":${String(over.tBegin)},"t_request":${String(over.tRequest)},"t_first":${String(over.tFirst)},` +
        `"t_last":${String(over.tLast)},"t_queue":${String(over.tQueue)},"t_spawn":${String(over.tSpawn)},` +
        `"t_started":${String(over.tStarted)},"t_exit":${String(over.tExit)},"t_end":${String(over.tEnd)},` +
        `"transport_retries":${String(over.transportRetries)},"transport_ns":${String(over.transportNs)},` +
        `"request_sha256":${JSON.stringify(over.requestSha256)},` +
        `"completion_sha256":${JSON.stringify(over.completionSha256)},"usage":${String(over.usage)},` +
        `"exit_code":${String(over.exitCode)},"signal":${String(over.signal)},"timed_out":${String(over.timedOut)},` +
        `"verdict":"${over.verdict}","reason":${JSON.stringify(over.reason)}}`,
    );
  }

  /** Write the outcome of a task; `reason` is for `error`. */
  task(taskId: string, outcome: Outcome, attempts: number, reason: string | null): void {
    this.#write(
      `{"event":"task","task":${JSON.stringify(taskId)},"t":${String(now())},"outcome":"${outcome}",` +
        `"attempts":${String(attempts)},"reason":${JSON.stringify(reason)}}`,
    );
  }

  /** Write that the run is over. */
  runEnd(): void {
    this.#write(`{"event":"run_end","t":${String(now())}}`);
  }

  #write(line: string): void {
    let rest = Buffer.from(`${line}\n`);
    try {
      while (rest.length > 0) {
        rest = rest.subarray(writeSync(this.#descriptor, rest));
      }
    } catch (failure) {
      throw new EventFileFailed(`${this.#path}: cannot be written (${String(failure)})`);
    }
  }
}
