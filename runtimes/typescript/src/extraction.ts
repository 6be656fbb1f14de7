/**
 * Finds the Python code block in a model's reply.
 *
 * Source: the fenced code blocks of CommonMark 0.31, and runtimes/contract/vectors/extraction.json.
 */

import { stripEnd } from "./white-space.js";

const PYTHON_TAGS = new Set(["python", "python3", "py", "py3"]);
const OPENING_FENCE = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})[ \t]*([^ \t]*)/;
const THOUGHT_END = "</think>";

interface Block {
  readonly tag: string;
  readonly code: string;
}

/**
 * The code block that answers, ending in exactly one LF, or null when the reply holds none.
 *
 * The longest block tagged as Python wins, the later of two as long. Untagged blocks stand in only when no block is
 * tagged as Python. What precedes the last `</think>` was only thought.
 */
export function extract(reply: string): string | null {
  const thought = reply.lastIndexOf(THOUGHT_END);
  const blocks = [...codeBlocks(thought < 0 ? reply : reply.slice(thought + THOUGHT_END.length))];
  const tagged = blocks.filter(({ tag }) => PYTHON_TAGS.has(tag));
  const candidates = tagged.length > 0 ? tagged : blocks.filter(({ tag }) => tag === "");
  let longest: string | null = null;
  let longestBytes = 0;
  for (const { code } of candidates) {
    const bytes = Buffer.byteLength(code);
    if (bytes >= longestBytes) {
      [longest, longestBytes] = [code, bytes];
    }
  }
  return longest;
}

/** Every fenced block that holds more than white space. */
function* codeBlocks(text: string): Generator<Block> {
  const lines = text.replaceAll("\r\n", "\n").split("\n").values();
  for (const line of lines) {
    const [, indent, fence, tag] = OPENING_FENCE.exec(line) ?? [];
    if (indent === undefined || fence === undefined || tag === undefined) {
      continue;
    }
    const code = content(lines, indent.length, fence);
    if (stripEnd(code) !== "") {
      yield { tag: asciiLowerCase(tag), code: `${stripEnd(code, "\n")}\n` };
    }
  }
}

/** Take lines up to and including the closing fence. */
function content(lines: Iterator<string, undefined>, indent: number, fence: string): string {
  const closingFence = new RegExp(`^ {0,3}${fence}${fence.charAt(0)}*[ \\t]*$`);
  const indentation = new RegExp(`^ {0,${String(indent)}}`);
  const taken: string[] = [];
  for (let line; (line = lines.next().value) !== undefined && !closingFence.test(line); ) {
    taken.push(line.replace(indentation, ""));
  }
  return taken.join("\n");
}

function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}
