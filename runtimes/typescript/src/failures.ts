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

/** Any text in one line. */
export function inOneLine(text: string): string {
  return text.split(/\s+/).filter(Boolean).join(" ");
}
