/** The white space of the contract, which is not that of `trim`; by hand, because `/\s+$/` is quadratic. */
export const WHITE_SPACE = " \t\n\r\v\f";

/** Take white space, or the other characters that are named, from the end of a text. */
export function stripEnd(text: string, characters: string = WHITE_SPACE): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) {
    end--;
  }
  return text.slice(0, end);
}

/** Take white space from both ends of a text. */
export function strip(text: string): string {
  let begin = 0;
  while (begin < text.length && WHITE_SPACE.includes(text.charAt(begin))) {
    begin++;
  }
  return stripEnd(text.slice(begin));
}
