/**
 * JSON in which integers keep all their digits, and its canonical form.
 *
 * Source: runtimes/CONTRACT.md, "Request", and runtimes/contract/vectors/README.md.
 */

export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

/** Whether `value` is a JSON object, and neither a list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const LONG_NUMBER = /[0-9]{16}/;
// A string need not end: what never fails is never tried in another way.
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"?|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/gs;
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;

/** Parse a JSON text; integers that a double may not hold become bigints. Throws `SyntaxError` or `RangeError`. */
export function parseJson(text: string): Json {
  if (!LONG_NUMBER.test(text)) {
    return JSON.parse(text) as Json;
  }
  // JSON.parse cannot be told to keep digits, so such integers go through it as strings that no text can foresee.
  const mark = `integer ${String(Math.random())} `;
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    INTEGER.test(token) && !Number.isSafeInteger(Number(token)) ? `"${mark}${token}"` : token,
  );
  return JSON.parse(marked, (_, value: Json) =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  ) as Json;
}

/** Write a value as the one JSON text that all runtimes agree on. Throws `RangeError` for infinity. */
export function canonicalJson(value: Json): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return canonicalNumber(value);
    case "object":
      if (value === null) {
        return "null";
      }
      if (Array.isArray(value)) {
        return `[${value.map(canonicalJson).join(",")}]`;
      }
      return canonicalObject(value);
    default:
      return String(value);
  }
}

function canonicalObject(value: JsonObject): string {
  const fields = Object.entries(value).sort(([one], [other]) => byCodePoint(one, other));
  return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`).join(",")}}`;
}

function canonicalNumber(value: number): string {
  if (Number.isInteger(value)) {
    return BigInt(value).toString();
  }
  if (!Number.isFinite(value)) {
    throw new RangeError("a number is too large for a double");
  }
  if (Math.abs(value) >= 1e-4) {
    return String(value);
  }
  return value.toExponential().replace(/-([0-9])$/, "-0$1");
}

/** Order two strings by code point, in which U+FF01 comes before U+1F600, and by which UTF-8 is ordered too. */
export function byCodePoint(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const difference = rank(one.charCodeAt(at)) - rank(other.charCodeAt(at));
    if (difference !== 0) {
      return difference;
    }
  }
  return one.length - other.length;
}

/** Surrogates come last, because the code points that they make up do. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
