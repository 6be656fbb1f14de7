/** JSON objects from files, whose fields are asked for by type. */

import { isUtf8 } from "node:buffer";
import { accessSync, constants, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { inOneLine, InvalidInput } from "./failures.js";
import { canonicalJson, isObject, parseJson, type Json, type JsonObject } from "./json.js";

const SHOWN_CHARACTERS = 60;
const NANOSECONDS_END = 2n ** 63n;

/** The fields of one JSON object. A field that is missing or of another type throws `InvalidInput`. */
export class Fields {
  readonly #where: string;
  readonly #values: JsonObject;
  readonly #prefix: string;

  /** Name the object `where` in messages, and its fields with `prefix` before them. */
  constructor(where: string, values: JsonObject, prefix = "") {
    this.#where = where;
    this.#values = values;
    this.#prefix = prefix;
  }

  /** Read the JSON object that a file holds. */
  static ofFile(path: string): Fields {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (failure) {
      throw new InvalidInput(`${path}: cannot be read (${String(failure)}); name a UTF-8 file that is there`);
    }
    return Fields.ofBytes(path, bytes);
  }

  /** Parse the JSON object that `bytes` are. */
  static ofBytes(where: string, bytes: Buffer): Fields {
    if (!isUtf8(bytes)) {
      throw new InvalidInput(`${where}: is not UTF-8; write it in UTF-8`);
    }
    let value: Json;
    try {
      value = parseJson(bytes.toString());
    } catch (failure) {
      throw new InvalidInput(
        `${where}: is not JSON (${inOneLine(String(failure))}); write one JSON object there`,
      );
    }
    if (!isObject(value)) {
      throw new InvalidInput(`${where}: holds ${shown(value)}; write one JSON object there`);
    }
    return new Fields(where, value);
  }

  /** A string, which may be empty. */
  text(name: string): string {
    const value = this.#value(name);
    if (typeof value !== "string") {
      throw this.invalidInput(name, "a string");
    }
    if (!value.isWellFormed()) {
      throw this.invalidInput(name, "a string without halves of surrogate pairs");
    }
    return value;
  }

  /** The strings of a list that is not empty; they are fit for a command line. */
  texts(name: string): [string, ...string[]] {
    const value = this.#value(name);
    if (!Array.isArray(value) || !value.every(isArgument) || !isNotEmpty(value)) {
      throw this.invalidInput(name, "a list of strings, at least one");
    }
    return value;
  }

  /** The strings of an object; they are fit for a process's environment. */
  environment(name: string): Record<string, string> {
    const value = this.#value(name);
    if (!isObject(value) || !isEnvironment(value)) {
      throw this.invalidInput(name, "an object of strings");
    }
    return value;
  }

  /** An object with any fields. */
  object(name: string): JsonObject {
    const value = this.#value(name);
    if (!isObject(value)) {
      throw this.invalidInput(name, "an object");
    }
    return value;
  }

  /** An object whose fields are to be asked for in turn. */
  fields(name: string): Fields {
    return new Fields(this.#where, this.object(name), `${this.#prefix}${name}.`);
  }

  /** An integer. */
  integer(name: string, atLeast: number): number {
    const value = this.#value(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < atLeast) {
      throw this.invalidInput(name, `an integer of at least ${String(atLeast)}, and below 2^53`);
    }
    return value;
  }

  /** Nanoseconds, 0 where there is no such field. */
  nanoseconds(name: string): bigint {
    const value = this.#value(name);
    if (value === undefined) {
      return 0n;
    }
    if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))) {
      const nanoseconds = BigInt(value);
      if (nanoseconds >= 0n && nanoseconds < NANOSECONDS_END) {
        return nanoseconds;
      }
    }
    throw this.invalidInput(name, "an integer of at least 0, and below 2^63");
  }

  /** A number above 0. */
  positive(name: string): number {
    return this.#number(name, "a number above 0", (value) => value > 0);
  }

  /** A number of at least 0. */
  notNegative(name: string): number {
    return this.#number(name, "a number of at least 0", (value) => value >= 0);
  }

  /** A path, made absolute and free of symbolic links. */
  path(name: string): string {
    const value = this.text(name);
    if (value === "" || value.includes("\0")) {
      throw this.invalidInput(name, "a path");
    }
    return withoutLinks(resolve(value));
  }

  /** The path of a folder that is there and can be written to. */
  writableFolder(name: string): string {
    const path = this.path(name);
    try {
      accessSync(path, constants.W_OK | constants.X_OK);
      if (statSync(path).isDirectory()) {
        return path;
      }
    } catch {
      // Said below, as for a file.
    }
    throw this.invalidInput(name, "an existing folder that can be written to");
  }

  /** What says what a field is and what it must be, to be thrown. */
  invalidInput(name: string, wanted: string): InvalidInput {
    const value = this.#value(name);
    const found = value === undefined ? "is missing" : `is ${shown(value)}`;
    return new InvalidInput(`${this.#where}: ${this.#prefix}${name} ${found}; it must be ${wanted}`);
  }

  /** The same for a field that may hold a password, so that its value is not shown. */
  invalidUnshown(name: string, wanted: string): InvalidInput {
    return new InvalidInput(`${this.#where}: ${this.#prefix}${name} (not shown) must be ${wanted}`);
  }

  #value(name: string): Json | undefined {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  #number(name: string, wanted: string, suits: (value: number) => boolean): number {
    const value = this.#value(name);
    if (typeof value === "number" || typeof value === "bigint") {
      const number = Number(value);
      if (Number.isFinite(number) && suits(number)) {
        return number;
      }
    }
    throw this.invalidInput(name, wanted);
  }
}

function isArgument(value: Json): value is string {
  return typeof value === "string" && !value.includes("\0") && value.isWellFormed();
}

function isNotEmpty(values: string[]): values is [string, ...string[]] {
  return values.length > 0;
}

function isEnvironment(values: JsonObject): values is Record<string, string> {
  return Object.entries(values).every(
    ([name, value]) => name !== "" && !name.includes("=") && isArgument(name) && isArgument(value),
  );
}

/** The last name of a path may be missing, because it may be of a file that is to be created. */
function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(withoutLinks(parent), basename(path));
  }
}

function shown(value: Json): string {
  let text: string;
  try {
    text = canonicalJson(value);
  } catch {
    return "too large or too deep";
  }
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
