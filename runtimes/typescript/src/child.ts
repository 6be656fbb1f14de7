/** Child processes in groups of their own, that are always killed and reaped. */

import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants as fileConstants, statSync } from "node:fs";
import { constants } from "node:os";
import { isAbsolute, join } from "node:path";

import { Bytes } from "./bytes.js";
import { milliseconds, pollOnce } from "./clock.js";
import type { Stop } from "./stop.js";

/** How a process ended, by an exit code or by a signal (the other is null), and what it wrote last. */
export interface Finished {
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly timedOut: boolean;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** What runs, where, in exactly which environment, for how long, and how much of each output is kept. */
export interface Command {
  readonly program: string;
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly timeoutS: number;
  readonly outputLimitBytes: number;
}

/**
 * The path of a program, sought on the search path if its name has no slash, or null.
 *
 * A relative path is returned as it is: whether it leads anywhere depends on the folder it is started in.
 */
export function findProgram(name: string, searchPath: string): string | null {
  if (name.includes("/") && !isAbsolute(name)) {
    return name;
  }
  const candidates = isAbsolute(name)
    ? [name]
    : searchPath
        .split(":")
        .filter(isAbsolute)
        .map((folder) => join(folder, name));
  return candidates.find(isExecutable) ?? null;
}

/**
 * Run a command to its end, and its group with it: at the timeout, at the stop of the run, and when it has exited.
 *
 * `onStarted` is called when the process exists. Throws a system failure when it cannot be started.
 */
export async function run(command: Command, stop: Stop, onStarted: () => void): Promise<Finished> {
  const { program, argv, env, folder, outputLimitBytes } = command;
  const [argv0, ...rest] = argv;
  const child = spawn(program, rest, {
    argv0,
    env,
    cwd: folder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => {
      // The leader is reaped already. Its number is not given away as long as its group has members, and if it has
      // none, numbers would have to wrap around within this turn of the event loop to hit another group.
      killGroup(child);
      resolve();
    });
  });
  const stdout = new Tail(child.stdout, outputLimitBytes);
  const stderr = new Tail(child.stderr, outputLimitBytes);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill(child);
  }, milliseconds(command.timeoutS));
  const forget = stop.onStop(() => {
    kill(child);
  });
  if (child.pid !== undefined) {
    onStarted();
  }
  try {
    await ended;
  } finally {
    clearTimeout(timer);
    forget();
  }
  await pollOnce();
  return {
    exitCode: child.exitCode,
    signal: signalNumber(child),
    timedOut,
    stdout: stdout.close(),
    stderr: stderr.close(),
  };
}

/** The last bytes of an output, of which the rest is drained. */
class Tail {
  readonly #output: NodeJS.ReadableStream & { destroy(): void };
  readonly #limitBytes: number;
  readonly #kept = new Bytes();

  constructor(output: NodeJS.ReadableStream & { destroy(): void }, limitBytes: number) {
    this.#output = output;
    this.#limitBytes = limitBytes;
    output.on("data", (piece: Buffer) => {
      this.#keep(piece);
    });
    // A pipe that breaks has said all it had to say.
    output.on("error", () => undefined);
  }

  /** Read no more, whoever may go on writing, and return what is kept. */
  close(): Buffer {
    this.#output.destroy();
    this.#kept.keepLast(this.#limitBytes);
    return this.#kept.view;
  }

  #keep(piece: Buffer): void {
    this.#kept.append(piece.subarray(Math.max(0, piece.length - this.#limitBytes)));
    // Not every time, because it moves what is kept.
    if (this.#kept.length >= 2 * this.#limitBytes) {
      this.#kept.keepLast(this.#limitBytes);
    }
  }
}

function kill(child: ChildProcess): void {
  killGroup(child);
  // The leader may have moved to another group.
  child.kill("SIGKILL");
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) {
    return;
  }
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    return; // Nobody is left in it.
  }
}

function signalNumber({ signalCode }: ChildProcess): number | null {
  return signalCode === null ? null : constants.signals[signalCode];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, fileConstants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
