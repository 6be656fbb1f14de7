/** The response of one try, which becomes a completion or a `TryFailed`. */

import { Bytes } from "./bytes.js";
import { milliseconds, now, pollOnce } from "./clock.js";
import { BrokenStream, Completion } from "./completion.js";
import type { Listener } from "./connection.js";
import type { Attempt } from "./events.js";
import { CUT } from "./reason.js";
import type { Headers } from "./response.js";
import { retryAfterS } from "./retry-after.js";
import { EventStream } from "./sse.js";
import { strip } from "./white-space.js";

/** How long the end of the stream is awaited after the finish reason, in seconds. */
const STREAM_END_GRACE_S = 1;

const ERROR_BODY_LIMIT_BYTES = 2048;

/** One request failed: whether another may do better, and how many seconds to wait for it at least. */
export class TryFailed extends Error {
  readonly isRetryable: boolean;
  readonly retryAfterS: number;

  constructor(reason: string, { isRetryable = true, retryAfterS = 0 } = {}) {
    super(reason);
    this.isRetryable = isRetryable;
    this.retryAfterS = retryAfterS;
  }
}

/** A response with a status other than 200. */
interface Refusal {
  readonly status: number;
  readonly retryAfter: string;
  readonly body: Bytes;
}

/** What is expected of a response, and who is told of it. */
export interface Expectation {
  /** How long each event may take, in seconds; for the first, from the end of the request. */
  readonly eventIdleS: number;
  /** Called when the finish reason is there. */
  readonly onFinish: () => void;
  /** Called when nothing more is to be waited for. */
  readonly onEnd: (completion: Completion) => void;
  /** Called in its place when there will be no completion. */
  readonly onFailure: (failure: TryFailed) => void;
}

/** Receives the response of one try and stamps the attempt. */
export class Answer implements Listener {
  readonly #attempt: Attempt;
  readonly #completion = new Completion();
  readonly #events = new EventStream((data) => {
    this.#add(data);
  });
  #expectation: Expectation | null = null;
  #timer: NodeJS.Timeout | undefined;
  #received = 0;
  #refusal: Refusal | null = null;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  get hasEnded(): boolean {
    return this.#completion.ended;
  }

  /** Begin to take in the response. */
  expect(expectation: Expectation): void {
    this.#expectation = expectation;
  }

  sent(): void {
    if (this.#expectation === null || this.#completion.finishReason !== null) {
      return;
    }
    const { eventIdleS } = this.#expectation;
    this.#timer = setTimeout(() => {
      void this.#giveUp(eventIdleS);
    }, milliseconds(eventIdleS));
  }

  head(status: number, headers: Headers): void {
    if (status !== 200) {
      this.#refusal = { status, retryAfter: headers.get("retry-after") ?? "", body: new Bytes() };
      return;
    }
    const encoding = headers.get("content-encoding") ?? "identity";
    const type = headers.get("content-type") ?? "no Content-Type";
    if (encoding.toLowerCase() !== "identity") {
      this.#fail(new TryFailed(`the endpoint sent a compressed stream (${encoding})`));
    } else if (type.split(";", 1)[0]?.trim().toLowerCase() !== "text/event-stream") {
      this.#fail(new TryFailed(`the endpoint sent no event stream but ${type}`));
    }
  }

  body(piece: Buffer): void {
    if (this.#expectation === null) {
      return;
    }
    if (this.#refusal === null) {
      try {
        this.#events.feed(piece);
      } catch (failure) {
        this.#failBroken(failure);
      }
      return;
    }
    const { body } = this.#refusal;
    body.append(piece.subarray(0, ERROR_BODY_LIMIT_BYTES - body.length));
    if (body.length === ERROR_BODY_LIMIT_BYTES) {
      this.end();
    }
  }

  end(): void {
    if (this.#expectation === null) {
      return;
    }
    if (this.#refusal !== null) {
      this.#fail(refused(this.#refusal));
      return;
    }
    try {
      this.#completion.end();
    } catch (failure) {
      this.#failBroken(failure);
      return;
    }
    const { onEnd } = this.#expectation;
    this.close();
    onEnd(this.#completion);
  }

  lost(reason: string): void {
    if (this.#completion.finishReason !== null || this.#refusal !== null) {
      this.end();
    } else {
      this.#fail(new TryFailed(reason));
    }
  }

  /** Wait no longer. */
  close(): void {
    this.#expectation = null;
    clearTimeout(this.#timer);
  }

  #add(data: string): void {
    if (this.#expectation === null) {
      return;
    }
    const completion = this.#completion;
    completion.add(data);
    this.#received += 1;
    if (completion.started) {
      this.#attempt.tFirst ??= now();
    }
    if (completion.finishReason === null) {
      this.#timer?.refresh();
    } else if (this.#attempt.tLast === null) {
      this.#attempt.tLast = now();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        this.end();
      }, milliseconds(STREAM_END_GRACE_S));
      this.#expectation.onFinish();
    }
    if (completion.ended) {
      this.end();
    }
  }

  async #giveUp(eventIdleS: number): Promise<void> {
    const received = this.#received;
    // Node runs timers before it reads sockets; what has arrived in time may not have been read yet.
    await pollOnce();
    if (this.#received === received) {
      const silence = new TryFailed(`no event within ${String(eventIdleS)} s`);
      this.#fail(this.#refusal === null ? silence : refused(this.#refusal));
    }
  }

  #failBroken(failure: unknown): void {
    if (!(failure instanceof BrokenStream)) {
      throw failure;
    }
    this.#fail(new TryFailed(failure.message));
  }

  #fail(failure: TryFailed): void {
    const onFailure = this.#expectation?.onFailure;
    this.close();
    onFailure?.(failure);
  }
}

function refused({ status, retryAfter, body }: Refusal): TryFailed {
  const text = body.view.toString();
  const said = body.length === ERROR_BODY_LIMIT_BYTES ? text + CUT : text;
  return new TryFailed(`the endpoint answered ${String(status)}${strip(said) === "" ? "" : `: ${said}`}`, {
    isRetryable: status === 408 || status === 429 || status >= 500,
    retryAfterS: retryAfterS(retryAfter, Date.now()),
  });
}
