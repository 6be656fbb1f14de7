/**
 * Finds the Python code block in a model's reply.
 *
 * Source: the fenced code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
 */

import { stripEnd, WHITE_SPACE } from "./white-space.js";

const END_TOKENS = ["</s>", "<eos>", "<end_of_turn>", "<｜end▁of▁sentence｜>"];
const THOUGHTS = [
  ["<think>", "</think>"],
  ["<thinking>", "</thinking>"],
  ["[THINK]", "[/THINK]"],
] as const;
const OPENING_FENCE = /^( *)(`{3,}(?=[^`]*$)|~{3,})[ \t]*([^ \t]*)/;
const MOST_EXTRA_INDENT = 3;
const BLANKS = " \t";
const PYTHON_TAG = /^py(?:thon)?[0-9.]*$/i;
const DEFINITION = /^(?:(?:async[ \t]+)?def|class)[ \t]+/;
const ASSIGNMENT = /^[ \t]*=(?!=)/;
const PART_OF_NAME = /^[0-9A-Za-z_\x80-\uffff]/;

interface Fence {
  readonly indent: number;
  readonly fence: string;
  readonly tag: string;
}

/** A block that counts; `rank` says which of two is better, by the first number that differs. */
interface Block {
  readonly rank: readonly number[];
  readonly code: string;
}

/**
 * The code block that answers, ending in exactly one LF, or null when the reply holds none.
 *
 * A block that defines the entry point wins over one that does not, then a block tagged as Python over one without a
 * tag, then the longest, then the last. Blocks with any other tag never count. Blocks before an end of thought stand
 * in only when no block after it counts.
 */
export function extract(reply: string, entryPoint: string): string | null {
  let best: Block | null = null;
  for (const block of blocks(answerOf(reply), entryPoint)) {
    if (best === null || !isBetter(best, block)) {
      best = block;
    }
  }
  return best?.code ?? null;
}

/** The reply without the end tokens at its end and the thoughts at its beginning. */
function answerOf(reply: string): string {
  const text = withoutEndTokens(reply, WHITE_SPACE);
  let answer = 0;
  for (let after: number | null = answer; after !== null; after = afterThought(text, answer)) {
    answer = after;
  }
  return text.slice(answer);
}

/** Take end tokens from the end of a text, and the white space around them. */
function withoutEndTokens(spacedText: string, whiteSpace: string): string {
  let text = spacedText;
  for (let begin; (begin = beginOfEndToken(stripEnd(text, whiteSpace))) !== null; ) {
    text = stripEnd(text.slice(0, begin), whiteSpace);
  }
  return text;
}

/** Where the end token begins with which a text ends, or null. */
function beginOfEndToken(text: string): number | null {
  if (text.endsWith("|>")) {
    const begin = text.lastIndexOf("<|");
    return begin >= 0 && /^[0-9A-Za-z_]+$/.test(text.slice(begin + 2, -2)) ? begin : null;
  }
  const token = END_TOKENS.find((ending) => text.endsWith(ending));
  return token === undefined ? null : text.length - token.length;
}

/** Where a thought that begins at `at`, or after white space there, ends; null without one. */
function afterThought(text: string, at: number): number | null {
  let begin = at;
  while (begin < text.length && WHITE_SPACE.includes(text.charAt(begin))) {
    begin++;
  }
  for (const [beginTag, endTag] of THOUGHTS) {
    if (text.startsWith(beginTag, begin)) {
      const end = text.indexOf(endTag, begin);
      return end < 0 ? null : end + endTag.length;
    }
  }
  return null;
}

/** Every fenced block that counts. */
function* blocks(text: string, entryPoint: string): Generator<Block> {
  const lines = text.replaceAll("\r\n", "\n").split("\n").values();
  let section = 0;
  for (const line of lines) {
    let opening = openingFence(line);
    const thoughtEnd = opening === null ? afterLastThought(line) : null;
    if (thoughtEnd !== null) {
      section++;
      opening = openingFence(line.slice(thoughtEnd));
    }
    if (opening === null) {
      continue;
    }
    const content = contentOf(lines, opening);
    const code = `${stripEnd(content.join("\n"), "\n")}\n`;
    const isPython = PYTHON_TAG.test(opening.tag);
    if ((isPython || opening.tag === "") && stripEnd(code) !== "") {
      const isDefinition = entryPoint !== "" && content.some((inner) => defines(inner, entryPoint));
      yield { rank: [section, Number(isDefinition), Number(isPython), Buffer.byteLength(code)], code };
    }
  }
}

function openingFence(line: string): Fence | null {
  const [, spaces, fence, tag] = OPENING_FENCE.exec(line) ?? [];
  return spaces === undefined || fence === undefined || tag === undefined
    ? null
    : { indent: spaces.length, fence, tag };
}

/** Where the last end of a thought on a line ends, or null. */
function afterLastThought(line: string): number | null {
  const ends = THOUGHTS.map(([, endTag]) => {
    const at = line.lastIndexOf(endTag);
    return at < 0 ? -1 : at + endTag.length;
  });
  const last = Math.max(...ends);
  return last < 0 ? null : last;
}

/** Take lines up to and including the closing fence. */
function contentOf(lines: Iterator<string, undefined>, opening: Fence): string[] {
  const taken: string[] = [];
  for (let line; (line = lines.next().value) !== undefined && !closes(line, opening); ) {
    taken.push(line.slice(runLength(line, " ", 0, opening.indent)));
  }
  return taken;
}

function closes(line: string, { indent, fence }: Fence): boolean {
  // Seldom, and found fast.
  if (!line.includes(fence)) {
    return false;
  }
  const begin = runLength(line, " ", 0);
  const length = runLength(line, fence.charAt(0), begin);
  const rest = withoutEndTokens(line.slice(begin + length), BLANKS);
  return begin <= indent + MOST_EXTRA_INDENT && length >= fence.length && stripEnd(rest, BLANKS) === "";
}

/** How often a character stands in a text from `begin` on, `most` at most. */
function runLength(text: string, character: string, begin: number, most = Infinity): number {
  let end = begin;
  while (end - begin < most && end < text.length && text.charAt(end) === character) {
    end++;
  }
  return end - begin;
}

/** Whether a line of Python begins the definition of a name, or assigns to it. */
function defines(line: string, name: string): boolean {
  if (!line.includes(name)) {
    return false;
  }
  const keyword = DEFINITION.exec(line)?.[0].length;
  if (keyword !== undefined && line.startsWith(name, keyword)) {
    return !PART_OF_NAME.test(line.slice(keyword + name.length));
  }
  return line.startsWith(name) && ASSIGNMENT.test(line.slice(name.length));
}

/** Whether `one` is better than `other`, and not as good. */
function isBetter({ rank: one }: Block, { rank: other }: Block): boolean {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at >= 0 && (one[at] ?? 0) > (other[at] ?? 0);
}
