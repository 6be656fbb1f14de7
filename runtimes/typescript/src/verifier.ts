/**
 * Runs the verifier, or any other command, in a workspace: a few at a time, first come, first served.
 *
 * Source: runtimes/CONTRACT.md, "Verification".
 */

import { findProgram, run, type Finished } from "./child.js";
import { now } from "./clock.js";
import type { Attempt } from "./events.js";
import { InvalidInput } from "./failures.js";
import type { Verify } from "./run-file.js";
import { Slots } from "./slots.js";
import type { Stop } from "./stop.js";

export class Verifier {
  readonly #verify: Verify;
  readonly #program: string;
  readonly #slots: Slots;
  readonly #stop: Stop;

  /** Find the program; throws `InvalidInput`. */
  constructor(verify: Verify, stop: Stop) {
    const [name] = verify.argv;
    const program = findProgram(name, verify.env["PATH"] ?? "");
    if (program === null) {
      throw new InvalidInput(
        `verify.argv: ${JSON.stringify(name)} cannot be run; name a program by its path or on the PATH of verify.env`,
      );
    }
    this.#verify = verify;
    this.#program = program;
    this.#slots = new Slots(verify.slots, stop);
    this.#stop = stop;
  }

  /** Run the verifier in `folder` and stamp `attempt`; throws `Interrupted`, and a system failure without a start. */
  async verify(folder: string, attempt: Attempt): Promise<Finished> {
    attempt.tQueue = now();
    await this.#slots.take();
    try {
      attempt.tSpawn = now();
      const finished = await run({ ...this.#verify, program: this.#program, folder }, this.#stop, () => {
        attempt.tStarted = now();
      });
      attempt.tExit = now();
      attempt.exitCode = finished.exitCode;
      attempt.signal = finished.signal;
      attempt.timedOut = finished.timedOut;
      this.#stop.check();
      return finished;
    } finally {
      this.#slots.giveBack();
    }
  }
}
