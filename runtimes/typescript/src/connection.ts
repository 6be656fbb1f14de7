/** Connections to one endpoint, that each carry one request at a time and are used again. */

import { connect as connectTcp, isIP, type Socket } from "node:net";

import { milliseconds, pollOnce } from "./clock.js";
import { NoHttp, ResponseParser, type Receiver } from "./response.js";
import type { BaseUrl } from "./run-file.js";

/** How long a connection stays open for the rest of a response whose completion is there, in seconds. */
const CLOSE_GRACE_S = 1;

const RECEIVE_BYTES = 64 * 1024;

// One buffer for all connections: it is filled and handed over in one step.
const received = Buffer.allocUnsafeSlow(RECEIVE_BYTES);

type Connect = typeof connectTcp;

/** A receiver that also wants to know when the request is sent, and when the connection ends too early. */
export interface Listener extends Receiver {
  /** Whether the response is complete but for its framing. */
  readonly hasEnded: boolean;
  /** The whole request is with the kernel. */
  sent(): void;
  lost(reason: string): void;
}

/** One connection. */
export class Connection {
  readonly #socket: Socket;
  readonly #idle: Connection[];
  #parser: ResponseParser | null = null;
  #listener: Listener | null = null;

  /** Begin to connect; `idle` is where the connection puts itself when it may be used again. */
  constructor(connect: Connect, { host, port }: BaseUrl, idle: Connection[]) {
    this.#idle = idle;
    this.#socket = connect({
      host,
      port,
      // For the server to choose its certificate by. RFC 6066 has no addresses there; a certificate is checked for
      // `host` in any case.
      ...(connect === connectTcp || isIP(host) !== 0 ? {} : { servername: host }),
      noDelay: true,
      onread: {
        buffer: received,
        callback: (length, buffer) => {
          this.#receive((buffer as Buffer).subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.on("error", (failure) => {
      this.#over(`the connection broke (${failure.message})`);
    });
    this.#socket.on("end", () => {
      this.#over("the endpoint closed the connection");
    });
    this.#socket.on("close", () => {
      this.#over("the connection was closed");
    });
  }

  /** Call one of two functions, once: when there is a connection, and when there will be none. */
  onceConnected(
    connectedEvent: "connect" | "secureConnect",
    open: () => void,
    failed: (reason: string) => void,
  ): void {
    this.#socket.once(connectedEvent, open);
    this.#socket.once("error", (failure) => {
      failed(failure.message);
    });
  }

  /** Send a request, whose response goes to `listener`. */
  send(request: Buffer, listener: Listener): void {
    this.#listener = listener;
    this.#parser = new ResponseParser({
      head: (status, headers) => this.#listener?.head(status, headers),
      body: (piece) => this.#listener?.body(piece),
      end: () => this.#listener?.end(),
    });
    this.#socket.write(request, (failure) => {
      if (!failure) {
        listener.sent();
      }
    });
  }

  /** Tell `listener` no more; a response that has ended but for its framing may still free the connection. */
  leave(listener: Listener): void {
    if (this.#listener !== listener) {
      return; // The response is over, and the connection may be another's already.
    }
    this.#listener = null;
    if (!listener.hasEnded) {
      this.close();
      return;
    }
    const parser = this.#parser;
    const timer = setTimeout(() => {
      if (this.#parser === parser) {
        this.close();
      }
    }, milliseconds(CLOSE_GRACE_S));
    timer.unref();
  }

  /** Close the connection at once. */
  close(): void {
    const at = this.#idle.indexOf(this);
    if (at >= 0) {
      this.#idle.splice(at, 1);
    }
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    if (this.#parser === null) {
      this.close(); // More than was asked for.
      return;
    }
    try {
      const taken = this.#parser.feed(bytes);
      if (this.#parser.isComplete) {
        this.#free(this.#parser.isPersistent && taken === bytes.length);
      }
    } catch (failure) {
      if (!(failure instanceof NoHttp)) {
        throw failure;
      }
      this.#over(`the endpoint does not speak HTTP/1.1: ${failure.message}`);
    }
  }

  /** The response is complete. */
  #free(usable: boolean): void {
    this.#parser = null;
    this.#listener = null;
    // An endpoint may answer before it has read the request, and the rest of that may never go away.
    if (usable && !this.#socket.destroyed && this.#socket.writableLength === 0) {
      this.#idle.push(this);
    } else {
      this.close();
    }
  }

  #over(reason: string): void {
    const [parser, listener] = [this.#parser, this.#listener];
    if (parser?.end() !== true) {
      listener?.lost(reason);
    }
    this.#parser = null;
    this.#listener = null;
    this.close();
  }
}

/** The connections to one endpoint that are open and not in use. */
export class Pool {
  readonly #baseUrl: BaseUrl;
  readonly #connect: Connect;
  // The one that was used last comes last, and is the one least likely to be closed.
  readonly #idle: Connection[] = [];

  private constructor(baseUrl: BaseUrl, connect: Connect) {
    this.#baseUrl = baseUrl;
    this.#connect = connect;
  }

  /** A pool without connections. TLS is loaded only where the endpoint wants it. */
  static async to(baseUrl: BaseUrl): Promise<Pool> {
    return new Pool(baseUrl, baseUrl.tls ? ((await import("node:tls")).connect as Connect) : connectTcp);
  }

  /** An open connection nobody uses, or null. Those that the endpoint has closed meanwhile would only cost a try. */
  async idle(): Promise<Connection | null> {
    // What the endpoint sent or closed may be with the kernel still.
    if (this.#idle.length > 0) {
      await pollOnce();
    }
    return this.#idle.pop() ?? null;
  }

  /** Begin to make a new connection, and call one of two functions, once. */
  connect(open: (connection: Connection) => void, failed: (reason: string) => void): Connection {
    const connection = new Connection(this.#connect, this.#baseUrl, this.#idle);
    const onOpen = (): void => {
      open(connection);
    };
    connection.onceConnected(this.#baseUrl.tls ? "secureConnect" : "connect", onOpen, failed);
    return connection;
  }

  /** Close all connections that are not in use. */
  close(): void {
    for (const connection of [...this.#idle]) {
      connection.close();
    }
  }
}
