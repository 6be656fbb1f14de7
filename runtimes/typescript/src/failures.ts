/** The run file, or something it names, cannot be used; the message says what, where and what to do. */
export class InvalidInput extends Error {}

/** No completion can be had; the message is one line that says why. */
export class ChatFailed extends Error {}

/** A tool does not do this; the message says why, in words for the model. */
export class ToolRefused extends Error {}

/** A workspace cannot be removed, because something goes on writing in it. */
export class WorkspaceInUse extends Error {}

/** An event is lost, so nothing that the run does from here on can be believed. */
export class EventFileFailed extends Error {}

/** The run is to end. */
export class Interrupted extends Error {}

/** A failure that has an errno, which all refusals of the system have. */
export type SystemFailure = Error & { readonly code: string; readonly syscall: string };

/** Whether the system refused something; with `code`, whether for that reason. */
export function isSystemFailure(failure: unknown, code?: string): failure is SystemFailure {
  return (
    failure instanceof Error &&
    "syscall" in failure &&
    "code" in failure &&
    (code === undefined || failure.code === code)
  );
}

const SPACES_AND_CONTROLS = /[\0-\x20\x7f-\x9f\u2028\u2029]+/;

/** Any text in one line, by rule 3 of reasons.json. */
export function inOneLine(text: string): string {
  return text.split(SPACES_AND_CONTROLS).filter(Boolean).join(" ");
}

/** What a failure that ends the program says, in one line. */
export function described(failure: unknown): string {
  if (failure instanceof EventFileFailed || failure instanceof InvalidInput) {
    return failure.message;
  }
  return `unexpected ${inOneLine(failure instanceof Error ? (failure.stack ?? failure.message) : String(failure))}`;
}
