/** Files and folders by open handles, so that no link put in their way is followed. */

import { chmodSync, closeSync, constants, openSync, readdirSync, readFileSync } from "node:fs";

const O_PATH = 0o10000000; // of Linux; Node does not name it
const O_CLOEXEC = 0o2000000;
const FOLDER = constants.O_DIRECTORY | constants.O_NOFOLLOW;
const LAST_STANDARD_DESCRIPTOR = 2;

/** A path, or one with a name of any bytes in it. */
export type Path = string | Buffer;

/** The path of a name in an open folder: this is how Node comes to what `openat` is for. */
export function inFolder(folder: number, name: Path): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${String(folder)}/`), Buffer.from(name as string)]);
}

/** Open a folder that is no link; throws a system failure. */
export function openFolder(path: Path): number {
  return openSync(path, constants.O_RDONLY | FOLDER);
}

/** Open a folder that is no link, with all permissions for its owner; throws a system failure. */
export function openFolderForcibly(path: Path): number {
  const handle = openSync(path, O_PATH | FOLDER);
  try {
    // This kind of handle needs no permission, and by its name in /proc nothing else can be meant.
    const ownName = `/proc/self/fd/${String(handle)}`;
    chmodSync(ownName, 0o700);
    return openSync(ownName, constants.O_RDONLY | constants.O_DIRECTORY);
  } finally {
    closeSync(handle);
  }
}

/** Close what this process has inherited beside stdin, stdout and stderr, or its children would inherit it too. */
export function closeInheritedDescriptors(): void {
  for (const name of readdirSync("/proc/self/fdinfo")) {
    const descriptor = Number(name);
    if (descriptor > LAST_STANDARD_DESCRIPTOR && isPassedOn(name)) {
      closeSync(descriptor);
    }
  }
}

function isPassedOn(descriptor: string): boolean {
  let information: string;
  try {
    information = readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1");
  } catch {
    return false; // The one that the listing took.
  }
  const flags = /^flags:\s*([0-7]+)$/m.exec(information)?.[1] ?? "";
  return (parseInt(flags, 8) & O_CLOEXEC) === 0;
}
