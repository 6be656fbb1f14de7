/** Streams and responses, cut anywhere. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { BrokenStream, Completion } from "../src/completion.js";
import { NoHttp, ResponseParser } from "../src/response.js";
import { retryAfterS } from "../src/retry-after.js";
import { EventStream } from "../src/sse.js";
import { bytes, vectors } from "./vectors.js";

interface Stream {
  readonly stream?: string;
  readonly stream_base64?: string;
  readonly data: string[];
  readonly completion: Result;
}

interface Result {
  readonly text: string | null;
  readonly finish_reason: string | null;
  readonly usage: unknown;
  readonly error: string | null;
}

suite("sse.json", () => {
  for (const vector of vectors<Stream>("sse.json")) {
    test(vector.name, () => {
      const stream = bytes(vector.stream, vector.stream_base64);
      for (const pieces of cuts(stream)) {
        const data = dataOf(pieces);
        assert.deepEqual(data, vector.data, vector.why);
        assert.deepEqual(completionOf(data), vector.completion, vector.why);
      }
    });
  }
});

/** The bytes whole, byte by byte, and cut in two at any byte. The pieces are overwritten once they are used. */
function* cuts(whole: Buffer): Generator<Buffer[]> {
  yield [whole];
  yield Array.from(whole, (byte) => Buffer.of(byte));
  for (let at = 1; at < whole.length; at++) {
    yield [whole.subarray(0, at), whole.subarray(at)];
  }
}

function dataOf(pieces: Buffer[]): string[] {
  const data: string[] = [];
  const stream = new EventStream((text) => data.push(text));
  for (const piece of pieces) {
    const received = Buffer.from(piece);
    stream.feed(received);
    received.fill(0);
  }
  return data;
}

function completionOf(data: string[]): Result {
  const completion = new Completion();
  try {
    for (const text of data) {
      completion.add(text);
    }
    completion.end();
  } catch (failure) {
    assert.ok(failure instanceof BrokenStream);
    return { text: null, finish_reason: null, usage: null, error: failure.kind };
  }
  const { text, finishReason, usage } = completion;
  return { text, finish_reason: finishReason, usage: JSON.parse(usage ?? "null"), error: null };
}

test("a usage with a number beyond a double is passed over, and one with a long number keeps its digits", () => {
  const finish = { choices: [{ delta: {}, finish_reason: "stop" }] };
  for (const [number, usage] of [
    ["9007199254740993", '{"n":9007199254740993}'],
    ["1e999", null],
    ["9".repeat(5000), null],
  ] as const) {
    const completion = new Completion();
    completion.add(`{"usage":{"n":${number}}}`);
    completion.add(JSON.stringify(finish));
    completion.end();
    assert.equal(completion.usage, usage);
  }
});

/** What a parser makes of a response: the status, the body, what is left over, and whether it may go on. */
function parsed(pieces: Buffer[], ends = false): [number, string, string, boolean, boolean] {
  let status = 0;
  let body = "";
  let rest = "";
  const parser = new ResponseParser({
    head: (code) => (status = code),
    body: (piece) => (body += piece.toString("latin1")),
    end: () => undefined,
  });
  for (const piece of pieces) {
    rest += piece.toString("latin1", parser.feed(piece));
  }
  return [status, body, rest, ends ? parser.end() : parser.isComplete, parser.isPersistent];
}

suite("HTTP/1.1", () => {
  const responses: [string, string, ReturnType<typeof parsed>][] = [
    ["length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcX", [200, "abc", "X", true, true]],
    [
      "chunks",
      "HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nab\r\n00A\r\n0123456789\r\n0\r\nT: x\r\n\r\nY",
      [200, "ab0123456789", "Y", true, true],
    ],
    [
      "interim responses",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 204 N\r\n\r\n",
      [204, "", "", true, true],
    ],
    [
      "LF alone, and a connection that closes",
      "HTTP/1.1 503 x\nconnection: Close\ncontent-length:0\n\n",
      [503, "", "", true, false],
    ],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", [200, "a", "", true, false]],
    [
      "HTTP/1.0 that is kept",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
      [200, "a", "", true, true],
    ],
    ["too short", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", [200, "ab", "", false, true]],
  ];
  for (const [name, text, expected] of responses) {
    test(name, () => {
      for (const pieces of cuts(Buffer.from(text, "latin1"))) {
        assert.deepEqual(parsed(pieces), expected);
      }
    });
  }

  test("a body without a length ends with the connection", () => {
    for (const pieces of cuts(Buffer.from("HTTP/1.1 200 OK\r\n\r\nabc"))) {
      assert.deepEqual(parsed(pieces, true), [200, "abc", "", true, false]);
    }
  });

  for (const [text, message] of [
    ["SSH-2.0-x\r\n", 'in place of a status line: "SSH-2.0-x"'],
    ["HTTP/1.1 200 OK\r\n folded: x\r\n", 'in place of a header field: " folded: x"'],
    ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 'in place of a length: "-1"'],
    ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 'in place of a length: "1, 2"'],
    [
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "a body framed in an unknown way",
    ],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 'in place of the size of a chunk: "x"'],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
      "a chunk that is longer than its size",
    ],
    ["HTTP/1.1 101 Switching Protocols\r\n\r\n", "another protocol"],
    ["x".repeat(65537), "a line of more than 64 KiB"],
  ] as const) {
    test(`no HTTP: ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.throws(() => parsed([Buffer.from(text)]), new NoHttp(message));
    });
  }
});

test("header fields with long gaps", { timeout: 60_000 }, () => {
  const field = `Gap: a${" ".repeat(65_000)}b \t\r\n`;
  const response = `HTTP/1.1 204 No Content\r\n${field.repeat(100)}\r\n`;
  assert.deepEqual(parsed([Buffer.from(response)]), [204, "", "", true, true]);
});

interface RetryAfter {
  readonly value: string;
  readonly now: number;
  readonly expected: number;
}

suite("retry_after.json", () => {
  for (const { name, why, value, now, expected } of vectors<RetryAfter>("retry_after.json")) {
    test(name, () => {
      assert.equal(retryAfterS(value, now * 1000), expected, why);
    });
  }
});
