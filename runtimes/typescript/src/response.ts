/**
 * HTTP/1.1 responses.
 *
 * Source: RFC 9112.
 */

import { strip } from "./white-space.js";

const LF = 0x0a;
const LONGEST_LINE_BYTES = 64 * 1024;
const MOST_HEADERS = 1000;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: .*)?$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/;
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?$/;
const LENGTH = /^[0-9]{1,15}$/;

/** The header fields of a response, by lower-case name. */
export type Headers = ReadonlyMap<string, string>;

/** What becomes of a response. */
export interface Receiver {
  /** The status and the headers are there. */
  head(status: number, headers: Headers): void;
  /** A piece of the body is there, and good until this returns. */
  body(piece: Buffer): void;
  /** The body is complete. */
  end(): void;
}

/** What arrived is no HTTP/1.1 response. */
export class NoHttp extends Error {}

type Expecting =
  | "status line"
  | "header"
  | "chunk size"
  | "chunk"
  | "end of chunk"
  | "trailer"
  | "sized body"
  | "body up to the end"
  | "nothing";

/** Parses one response, cut anywhere, after as many interim ones (100 to 199) as come before it. */
export class ResponseParser {
  readonly #receiver: Receiver;
  #expecting: Expecting = "status line";
  #line = "";
  #headers = new Map<string, string>();
  #status = 0;
  #persistent = false;
  #remaining = 0;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  /** Whether the response is complete. */
  get isComplete(): boolean {
    return this.#expecting === "nothing";
  }

  /** Whether the endpoint is willing to take another request on the same connection. */
  get isPersistent(): boolean {
    return this.#persistent;
  }

  /** Take in some bytes and return how many belong to the response; throws `NoHttp`. */
  feed(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.#expecting !== "nothing") {
      if (this.#expecting === "sized body" || this.#expecting === "chunk") {
        at += this.#takeSized(bytes, at);
      } else if (this.#expecting === "body up to the end") {
        this.#receiver.body(bytes.subarray(at));
        at = bytes.length;
      } else {
        at = this.#takeLine(bytes, at);
      }
    }
    return at;
  }

  /** Take note that the connection is over; returns whether the response is complete. */
  end(): boolean {
    if (this.#expecting === "body up to the end") {
      this.#complete();
    }
    return this.isComplete;
  }

  #takeSized(bytes: Buffer, at: number): number {
    const piece = bytes.subarray(at, at + this.#remaining);
    this.#remaining -= piece.length;
    this.#receiver.body(piece);
    if (this.#remaining === 0) {
      if (this.#expecting === "chunk") {
        this.#expecting = "end of chunk";
      } else {
        this.#complete();
      }
    }
    return piece.length;
  }

  #takeLine(bytes: Buffer, at: number): number {
    const lf = bytes.indexOf(LF, at);
    this.#line += bytes.toString("latin1", at, lf < 0 ? bytes.length : lf);
    if (this.#line.length > LONGEST_LINE_BYTES) {
      throw new NoHttp("a line of more than 64 KiB");
    }
    if (lf < 0) {
      return bytes.length;
    }
    const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
    this.#line = "";
    this.#interpret(line);
    return lf + 1;
  }

  #interpret(line: string): void {
    switch (this.#expecting) {
      case "status line":
        this.#statusLine(line);
        break;
      case "header":
        if (line === "") {
          this.#endOfHead();
        } else {
          this.#header(line);
        }
        break;
      case "chunk size":
        this.#remaining = parseInt(match(CHUNK_SIZE, line, "the size of a chunk")[1] ?? "", 16);
        this.#expecting = this.#remaining === 0 ? "trailer" : "chunk";
        break;
      case "end of chunk":
        if (line !== "") {
          throw new NoHttp("a chunk that is longer than its size");
        }
        this.#expecting = "chunk size";
        break;
      default: // a trailer, which says nothing of use
        if (line === "") {
          this.#complete();
        }
    }
  }

  #statusLine(line: string): void {
    const [, minorVersion, status] = match(STATUS_LINE, line, "a status line");
    this.#status = Number(status);
    this.#persistent = minorVersion === "1";
    this.#headers.clear();
    this.#expecting = "header";
  }

  #header(line: string): void {
    const [, name = "", spacedValue = ""] = match(HEADER, line, "a header field");
    const value = strip(spacedValue);
    const before = this.#headers.get(name.toLowerCase());
    this.#headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
    if (this.#headers.size > MOST_HEADERS) {
      throw new NoHttp("too many header fields");
    }
  }

  #endOfHead(): void {
    if (this.#status < 200) {
      if (this.#status === 101) {
        throw new NoHttp("another protocol");
      }
      this.#expecting = "status line";
      return;
    }
    const options = tokens(this.#headers.get("connection"));
    this.#persistent = this.#persistent ? !options.includes("close") : options.includes("keep-alive");
    this.#receiver.head(this.#status, this.#headers);
    this.#beginBody(this.#headers.get("content-length"), tokens(this.#headers.get("transfer-encoding")));
  }

  #beginBody(length: string | undefined, codings: string[]): void {
    if (this.#status === 204 || this.#status === 304) {
      this.#complete();
    } else if (codings.length > 0) {
      if (codings.length > 1 || codings[0] !== "chunked" || length !== undefined) {
        throw new NoHttp("a body framed in an unknown way");
      }
      this.#expecting = "chunk size";
    } else if (length === undefined) {
      this.#persistent = false;
      this.#expecting = "body up to the end";
    } else {
      this.#remaining = Number(match(LENGTH, length, "a length")[0]);
      this.#expecting = "sized body";
      if (this.#remaining === 0) {
        this.#complete();
      }
    }
  }

  #complete(): void {
    this.#expecting = "nothing";
    this.#receiver.end();
  }
}

function match(pattern: RegExp, line: string, what: string): RegExpExecArray {
  const found = pattern.exec(line);
  if (found === null) {
    throw new NoHttp(`in place of ${what}: ${JSON.stringify(line.slice(0, 60))}`);
  }
  return found;
}

function tokens(value = ""): string[] {
  return value
    .toLowerCase()
    .split(",")
    .map((token) => token.trim())
    .filter((token) => token !== "");
}
