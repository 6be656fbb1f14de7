/** A folder of an attempt's own, gone when the attempt ends, whatever was done to it. */

import { closeSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";

import { now, pollOnce } from "./clock.js";
import { inFolder, openFolderForcibly, type Path } from "./descriptors.js";
import { isSystemFailure, WorkspaceInUse } from "./failures.js";

/** How long a process that nobody could kill may go on writing while its folder is being removed. */
const PATIENCE_NS = 1_000_000_000n;

let made = 0;

/** Make a new folder below `parent` and return its path; throws a system failure. */
export function makeWorkspace(parent: string): string {
  const path = join(parent, `attempt-${String(process.pid)}-${String(++made)}`);
  mkdirSync(path, 0o700);
  return path;
}

/**
 * Remove a folder, or what is in its place, and all it holds: links, but never what they point to.
 *
 * Folders without permissions are given some. Depth costs neither stack nor open files, because folders further down
 * are first moved to the top. What is written meanwhile is removed as well, for a second. Throws `WorkspaceInUse`
 * or a system failure when something defies all that.
 */
export async function removeTree(path: string): Promise<void> {
  if (!isFolder(path)) {
    absentIsFine(() => {
      unlinkSync(path);
    });
    return;
  }
  const top = openFolderForcibly(path);
  try {
    const removal = new Removal(top);
    let deadline: bigint | null = null;
    do {
      const names = readdirSync(inFolder(top, "."), "buffer");
      if (deadline !== null) {
        if (now() > deadline && !names.every((name) => removal.hasMoved(name))) {
          throw new WorkspaceInUse("a process that got away goes on writing in the workspace");
        }
        await pollOnce();
      }
      for (const name of names) {
        absentIsFine(() => {
          removal.remove(name);
        });
      }
      deadline ??= now() + PATIENCE_NS;
    } while (!removeIfEmpty(path));
  } finally {
    closeSync(top);
  }
}

/** The removal of what the folder `top` holds. */
class Removal {
  readonly #top: number;
  // Names that those below cannot have taken on purpose.
  readonly #prefix = `${String(Math.random()).slice(2)}-`;
  #moved = 0;

  constructor(top: number) {
    this.#top = top;
  }

  hasMoved(name: Buffer): boolean {
    return name.toString("latin1").startsWith(this.#prefix);
  }

  /** Remove an entry of `top`; a folder's own folders are moved to `top` instead. */
  remove(name: Buffer): void {
    const path = inFolder(this.#top, name);
    if (!isFolder(path)) {
      unlinkSync(path);
      return;
    }
    const folder = openFolderForcibly(path);
    try {
      for (const inner of readdirSync(inFolder(folder, "."), "buffer")) {
        this.#removeInner(inFolder(folder, inner));
      }
    } finally {
      closeSync(folder);
    }
    removeIfEmpty(path);
  }

  #removeInner(path: Buffer): void {
    if (isFolder(path)) {
      // Only a folder that may be written to can be moved.
      closeSync(openFolderForcibly(path));
      renameSync(path, inFolder(this.#top, this.#prefix + String(++this.#moved)));
    } else {
      unlinkSync(path);
    }
  }
}

/** Whether the folder is gone; one that holds something stays. */
function removeIfEmpty(folder: Path): boolean {
  try {
    rmdirSync(folder);
  } catch (failure) {
    if (isSystemFailure(failure, "ENOTEMPTY")) {
      return false;
    }
    if (!isSystemFailure(failure, "ENOENT")) {
      throw failure;
    }
  }
  return true;
}

function isFolder(path: Path): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function absentIsFine(act: () => void): void {
  try {
    act();
  } catch (failure) {
    if (!isSystemFailure(failure, "ENOENT")) {
      throw failure;
    }
  }
}
