/**
 * Reasons that quote the endpoint: one short line without the key, for endpoints are known to quote it.
 *
 * Source: runtimes/contract/vectors/reasons.json.
 */

import { inOneLine } from "./failures.js";

/** Ends a text that was cut while it was read, perhaps within the key. */
export const CUT = "…";

const HIDDEN = "***";
const LIMIT = 300;

/** How a key may be spelled: as it is, and as it is within JSON, where a slash may be escaped as well. */
export function spellingsOf(key: string): string[] {
  if (key === "") {
    return [];
  }
  const inJson = JSON.stringify(key).slice(1, -1);
  return [...new Set([inJson.replaceAll("/", "\\/"), inJson, key])];
}

/** Make a reason of what was said; `spellings` are those of the key. */
export function presentable(said: string, spellings: readonly string[]): string {
  let shown = said;
  // Before anything is cut, so that no part of the key is left.
  for (const spelling of spellings) {
    shown = shown.replaceAll(spelling, HIDDEN);
  }
  return firstCharacters(inOneLine(withoutCutSpellings(shown, spellings)));
}

function withoutCutSpellings(text: string, spellings: readonly string[]): string {
  const pieces = text.split(CUT);
  const last = pieces.pop() ?? "";
  return pieces.map((piece) => withoutBeginning(piece, spellings) + CUT).join("") + last;
}

/** Hide the longest beginning of a spelling with which a text ends. */
function withoutBeginning(text: string, spellings: readonly string[]): string {
  const lengths = spellings.map((spelling) => {
    let length = spelling.length - 1;
    while (length > 0 && !text.endsWith(spelling.slice(0, length))) {
      length--;
    }
    return length;
  });
  const longest = Math.max(0, ...lengths);
  return longest === 0 ? text : text.slice(0, -longest) + HIDDEN;
}

function firstCharacters(text: string): string {
  // A character is one or two units, and none is cut.
  return Array.from(text.slice(0, 2 * LIMIT))
    .slice(0, LIMIT)
    .join("");
}
