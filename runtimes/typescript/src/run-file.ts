/**
 * The run file: everything that a run is told.
 *
 * Source: runtimes/CONTRACT.md, "The run file".
 */

import { isIPv6 } from "node:net";

import { Fields } from "./fields.js";
import { canonicalJson, type JsonObject } from "./json.js";
import { stripEnd } from "./white-space.js";

export const CONTRACT_VERSION = 1;

const OWN_FIELDS = ["messages", "model", "stream"];
const LABEL = "[0-9A-Za-z_-]{1,63}";
const HOST = `(?:\\[(?<address>[0-9A-Fa-f:.]+)\\]|(?<name>${LABEL}(?:\\.${LABEL})*\\.?))`;
// Of what is visible in ASCII, all but the backslash, the sign of a fragment, and in a path that of a query.
const PATH = '(?<path>(?:/[!"$->@-[\\]-~]*)?)';
const QUERY = '(?<query>(?:\\?[!"$-[\\]-~]*)?)';
const BASE_URL = new RegExp(
  `^(?<scheme>[Hh][Tt][Tt][Pp][Ss]?)://${HOST}(?::(?<port>[0-9]{1,5}))?${PATH}${QUERY}$`,
);
const LARGEST_PORT = 65535;

/** How attempts are verified: what runs, in which environment, for how long, how many at once. */
export interface Verify {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutS: number;
  readonly slots: number;
  readonly outputLimitBytes: number;
}

/** Bounds of a completion, in seconds: to connect, between two data events, over all tries. */
export interface Timeouts {
  readonly connectS: number;
  readonly eventIdleS: number;
  readonly totalS: number;
}

/** How often a failed try is repeated, and the base and the cap of the backoff in seconds. */
export interface TransportRetries {
  readonly maxRetries: number;
  readonly baseS: number;
  readonly capS: number;
}

/** Where completions are to be had. */
export interface BaseUrl {
  readonly tls: boolean;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Host and port as they are written. */
  readonly hostHeader: string;
  /** The path and the query of every request. */
  readonly target: string;
}

/** The fields of a run file; paths are absolute and free of symbolic links. */
export interface RunFile {
  readonly tasksFile: string;
  readonly promptsFile: string;
  readonly baseUrl: BaseUrl;
  readonly model: string;
  readonly request: JsonObject;
  readonly agents: number;
  readonly maxRetries: number;
  readonly verify: Verify;
  readonly timeouts: Timeouts;
  readonly transport: TransportRetries;
  readonly workspaces: string;
  readonly events: string;
}

/** Read and check a run file; throws `InvalidInput`. */
export function loadRunFile(path: string): RunFile {
  const fields = Fields.ofFile(path);
  if (fields.integer("contract_version", 0) !== CONTRACT_VERSION) {
    throw fields.invalidInput(
      "contract_version",
      `${String(CONTRACT_VERSION)}, the one that this runtime obeys`,
    );
  }
  const verify = fields.fields("verify");
  const timeouts = fields.fields("timeouts");
  const transport = fields.fields("transport");
  return {
    tasksFile: fields.path("tasks_file"),
    promptsFile: fields.path("prompts_file"),
    baseUrl: baseUrl(fields),
    model: fields.text("model"),
    request: request(fields),
    agents: fields.integer("agents", 1),
    maxRetries: fields.integer("max_retries", 0),
    verify: {
      argv: verify.texts("argv"),
      env: verify.environment("env"),
      timeoutS: verify.positive("timeout_s"),
      slots: verify.integer("slots", 1),
      outputLimitBytes: verify.integer("output_limit_bytes", 1),
    },
    timeouts: {
      connectS: timeouts.positive("connect_s"),
      eventIdleS: timeouts.positive("event_idle_s"),
      totalS: timeouts.positive("total_s"),
    },
    transport: {
      maxRetries: transport.integer("max_retries", 0),
      baseS: transport.notNegative("base_s"),
      capS: transport.notNegative("cap_s"),
    },
    workspaces: fields.writableFolder("workspaces"),
    events: fields.path("events"),
  };
}

/** Take the parts of a base URL, or return null where it is none; by base_url.json. */
export function parseBaseUrl(text: string): BaseUrl | null {
  const { scheme, address, name, port: digits, path = "", query = "" } = BASE_URL.exec(text)?.groups ?? {};
  const host = address ?? name;
  if (scheme === undefined || host === undefined || (address !== undefined && !isIPv6(address))) {
    return null;
  }
  const tls = scheme.length === "https".length;
  const port = digits === undefined ? (tls ? 443 : 80) : Number(digits);
  if (port < 1 || port > LARGEST_PORT) {
    return null;
  }
  return {
    tls,
    host,
    port,
    hostHeader: (address === undefined ? host : `[${host}]`) + (digits === undefined ? "" : `:${digits}`),
    target: `${stripEnd(path, "/")}/chat/completions${query}`,
  };
}

function baseUrl(fields: Fields): BaseUrl {
  const url = parseBaseUrl(fields.text("base_url"));
  if (url === null) {
    throw fields.invalidUnshown(
      "base_url",
      "http:// or https://, a host, perhaps a port from 1 to 65535, a path and a query, all in visible ASCII without a user",
    );
  }
  return url;
}

function request(fields: Fields): JsonObject {
  const values = fields.object("request");
  if (OWN_FIELDS.some((name) => Object.hasOwn(values, name))) {
    throw fields.invalidInput("request", `an object without ${OWN_FIELDS.join(", ")}`);
  }
  let text: string;
  try {
    text = canonicalJson(values);
  } catch {
    throw fields.invalidInput("request", "an object of less depth, without numbers too large for a double");
  }
  // What is well-formed is never written as an escape of a surrogate; a backslash is written as two.
  if (/(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(text)) {
    throw fields.invalidInput("request", "an object without halves of surrogate pairs");
  }
  return values;
}
