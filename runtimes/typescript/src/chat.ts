/**
 * Streamed chat completions, with the tries that a completion may take.
 *
 * Source: runtimes/CONTRACT.md, "One task" and "Transport".
 */

import { Answer, TryFailed } from "./answer.js";
import { milliseconds, now } from "./clock.js";
import type { Completion } from "./completion.js";
import type { Connection, Pool } from "./connection.js";
import { Deadline } from "./deadline.js";
import type { Attempt } from "./events.js";
import { ChatFailed } from "./failures.js";
import { presentable, spellingsOf } from "./reason.js";
import type { BaseUrl, Timeouts, TransportRetries } from "./run-file.js";
import { sha256 } from "./sha256.js";
import type { Stop } from "./stop.js";

// The exponent is bounded because a double is not.
const MOST_DOUBLINGS = 64;

/** What every completion of a run has in common. */
export interface ChatOptions {
  readonly baseUrl: BaseUrl;
  readonly apiKey: string;
  readonly timeouts: Timeouts;
  readonly transport: TransportRetries;
}

/** The chat completions of one OpenAI-compatible endpoint, as many at the same time as are asked for. */
export class Chat {
  readonly #pool: Pool;
  readonly #timeouts: Timeouts;
  readonly #transport: TransportRetries;
  readonly #stop: Stop;
  readonly #requestHead: string;
  readonly #keySpellings: string[];

  constructor(pool: Pool, { baseUrl, apiKey, timeouts, transport }: ChatOptions, stop: Stop) {
    this.#pool = pool;
    this.#timeouts = timeouts;
    this.#transport = transport;
    this.#stop = stop;
    this.#requestHead =
      `POST ${baseUrl.target} HTTP/1.1\r\nHost: ${baseUrl.hostHeader}\r\n` +
      "Accept: text/event-stream\r\nContent-Type: application/json\r\n" +
      (apiKey === "" ? "" : `Authorization: Bearer ${apiKey}\r\n`);
    this.#keySpellings = spellingsOf(apiKey);
  }

  /** The reply to a request body, stamping `attempt`; throws `ChatFailed` and `Interrupted`. */
  async complete(body: string, attempt: Attempt): Promise<string> {
    const head = `${this.#requestHead}Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n`;
    const request = inUtf8(head + body);
    attempt.requestSha256 = sha256(request.subarray(head.length));
    const completion = await this.#complete(request, attempt);
    const { text } = completion;
    attempt.completionSha256 = sha256(text);
    attempt.usage = completion.usage;
    return text;
  }

  async #complete(request: Buffer, attempt: Attempt): Promise<Completion> {
    const begin = now();
    const deadline = new Deadline(this.#timeouts.totalS, this.#stop);
    try {
      for (;;) {
        attempt.transportNs = attempt.transportRetries === 0 ? 0n : now() - begin;
        try {
          return await this.#try(request, attempt, deadline);
        } catch (failure) {
          if (!(failure instanceof TryFailed)) {
            throw failure;
          }
          if (!failure.isRetryable || attempt.transportRetries >= this.#transport.maxRetries) {
            throw new ChatFailed(presentable(failure.message, this.#keySpellings));
          }
          await this.#pause(failure.retryAfterS, attempt.transportRetries, deadline);
        }
        attempt.transportRetries++;
      }
    } finally {
      deadline.lift();
    }
  }

  /** Full jitter: anything up to a bound that doubles with every failure. */
  async #pause(leastS: number, failuresBefore: number, deadline: Deadline): Promise<void> {
    const { baseS, capS } = this.#transport;
    const boundS = Math.min(capS, baseS * 2 ** Math.min(failuresBefore, MOST_DOUBLINGS));
    const pauseMs = milliseconds(Math.max(leastS, Math.random() * boundS));
    let timer: NodeJS.Timeout | undefined;
    try {
      await deadline.wait((resolve: (value: null) => void) => {
        timer = setTimeout(resolve, pauseMs, null);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #try(request: Buffer, attempt: Attempt, deadline: Deadline): Promise<Completion> {
    attempt.tRequest = attempt.tFirst = attempt.tLast = null;
    const connection = (await this.#pool.idle()) ?? (await this.#connect(deadline));
    const answer = new Answer(attempt);
    try {
      return await deadline.wait((resolve, reject) => {
        // What follows the finish reason never undoes the success, and has a bound of its own.
        const onFinish = deadline.lift.bind(deadline);
        answer.expect({ eventIdleS: this.#timeouts.eventIdleS, onFinish, onEnd: resolve, onFailure: reject });
        attempt.tRequest = now();
        connection.send(request, answer);
      });
    } finally {
      answer.close();
      connection.leave(answer);
    }
  }

  async #connect(deadline: Deadline): Promise<Connection> {
    const { connectS } = this.#timeouts;
    let connection: Connection | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await deadline.wait((resolve, reject) => {
        timer = setTimeout(() => {
          reject(new TryFailed(`no connection within ${String(connectS)} s`));
        }, milliseconds(connectS));
        connection = this.#pool.connect(resolve, (reason) => {
          reject(new TryFailed(`no connection (${reason})`));
        });
      });
    } catch (failure) {
      connection?.close();
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The bytes of a text in memory of their own: a slab that others have a part of would stay as long as any of them. */
function inUtf8(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
