/** Nanoseconds of CLOCK_MONOTONIC. They outgrow the integers of a double after 104 days of uptime. */
export function now(): bigint {
  return process.hrtime.bigint();
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Seconds as the delay of a timer. Node fires a longer one at once; no run lasts 24 days. */
export function milliseconds(seconds: number): number {
  return Math.min(seconds * 1000, LONGEST_TIMER_MS);
}

/** Let the event loop look at every descriptor once, so that what the kernel holds already has been read. */
export async function pollOnce(): Promise<void> {
  // The first comes in this turn of the loop, perhaps before it polls; between the two it polls.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
