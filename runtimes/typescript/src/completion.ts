/**
 * What the chunks of a streamed chat completion add up to.
 *
 * Source: "The chat completion chunk object" of OpenAI's API reference, and runtimes/contract/vectors/sse.json.
 */

import { Bytes } from "./bytes.js";
import { canonicalJson, isObject, parseJson, type Json, type JsonObject } from "./json.js";
import { strip } from "./white-space.js";

/** The stream cannot become a completion. */
export class BrokenStream extends Error {
  readonly kind: "truncated" | "malformed" | "endpoint";

  constructor(kind: BrokenStream["kind"], reason: string) {
    super(reason);
    this.kind = kind;
  }
}

/** A chat completion that grows chunk by chunk. */
export class Completion {
  /** null until the model has finished. */
  finishReason: string | null = null;
  /** The endpoint's usage object as JSON, or null. */
  usage: string | null = null;
  /** Nothing that may follow is of interest. */
  ended = false;
  readonly #utf8 = new Bytes();

  /** Whether any content has arrived. */
  get started(): boolean {
    return this.#utf8.length > 0;
  }

  /** All content so far. */
  get text(): string {
    return this.#utf8.view.toString();
  }

  /**
   * Take in the data of one event.
   *
   * `[DONE]` ends it, and so does anything broken after the finish reason, which never undoes a success. Before that,
   * data that is no JSON object and an error object throw `BrokenStream`.
   */
  add(spacedData: string): void {
    const data = strip(spacedData);
    if (this.ended || data === "") {
      return;
    }
    if (data === "[DONE]") {
      this.ended = true;
      return;
    }
    try {
      this.#addChunk(parseChunk(data), data);
    } catch (failure) {
      if (this.finishReason === null) {
        throw failure;
      }
      this.ended = true;
    }
  }

  /** Take note that the stream is over; throws `BrokenStream` when that is before a finish reason. */
  end(): void {
    this.ended = true;
    if (this.finishReason === null) {
      throw new BrokenStream("truncated", "the stream ended before a finish_reason");
    }
  }

  #addChunk({ error, usage, choices }: JsonObject, data: string): void {
    if (error !== undefined && error !== null) {
      throw new BrokenStream("endpoint", `the endpoint reports in the stream: ${message(error)}`);
    }
    if (isObject(usage)) {
      this.usage = usageOf(data, usage) ?? this.usage;
    }
    const choice = Array.isArray(choices) ? choices[0] : undefined;
    if (this.finishReason !== null || !isObject(choice)) {
      return;
    }
    const { delta, finish_reason: finishReason } = choice;
    const content = isObject(delta) ? delta["content"] : undefined;
    if (typeof content === "string") {
      this.#utf8.appendText(content);
    }
    if (typeof finishReason === "string" && finishReason !== "") {
      this.finishReason = finishReason;
    }
  }
}

/** The object that `data` is, with large integers rounded: all digits are of use in the usage alone. */
function parseChunk(data: string): JsonObject {
  let chunk: Json;
  try {
    chunk = JSON.parse(data) as Json;
  } catch {
    throw malformed(data);
  }
  if (!isObject(chunk)) {
    throw malformed(data);
  }
  return chunk;
}

/** The usage of a chunk as JSON with all digits, or null where one of its numbers is beyond a double. */
function usageOf(data: string, rounded: JsonObject): string | null {
  try {
    canonicalJson(rounded); // Does not take infinity.
    return canonicalJson((parseJson(data) as JsonObject)["usage"] ?? null);
  } catch {
    return null;
  }
}

function malformed(data: string): BrokenStream {
  return new BrokenStream("malformed", `the stream holds something that is no JSON object: ${data}`);
}

/** The message of an error object, whatever its shape. */
function message(error: Json): string {
  const said = isObject(error) ? error["message"] : undefined;
  try {
    return typeof said === "string" ? said : canonicalJson(error);
  } catch {
    return "an error";
  }
}
