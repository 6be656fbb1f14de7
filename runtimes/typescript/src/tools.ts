/**
 * What a model may do in a workspace, and nothing outside it.
 *
 * Source: runtimes/CONTRACT.md, "Tools".
 */

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";

import { findProgram, run, type Command, type Finished } from "./child.js";
import { inFolder, openFolder } from "./descriptors.js";
import { isSystemFailure, ToolRefused } from "./failures.js";
import { byCodePoint } from "./json.js";
import type { Stop } from "./stop.js";

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
// Without O_NONBLOCK, opening a named pipe would wait for someone to write to it.
const EXISTING_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const SLASH = Buffer.from("/");

let written = 0;

/** A line, numbered from 1, that holds what was sought, in the file `path`, as the workspace sees it. */
export interface SearchMatch {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** A name in a folder. Names are bytes, which need not be UTF-8. */
interface Entry {
  readonly name: Buffer;
  readonly isFolder: boolean;
}

/** The tools of one workspace, whose paths lead nowhere else: not by `..`, not by symbolic links. */
export class ToolDispatcher {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Write a file whole or not at all, and the folders it needs; this and the others throw `ToolRefused` or a system failure. */
  writeFile(path: string, content: string): void {
    this.#inParent(path, true, (parent, name) => {
      const target = inFolder(parent, name);
      if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
        throw link(path);
      }
      const temporary = inFolder(parent, `.writing-${String(process.pid)}-${String(++written)}`);
      const file = openSync(temporary, NEW_FILE, 0o644);
      try {
        writeFileSync(file, content);
        renameSync(temporary, target);
      } catch (failure) {
        unlinkSync(temporary);
        throw failure;
      } finally {
        closeSync(file);
      }
    });
  }

  /** The text of a file. */
  readFile(path: string): string {
    return this.#inParent(path, false, (parent, name) => readRegularFile(parent, Buffer.from(name), path));
  }

  /** The names in a folder, a slash after folders. */
  listDir(path: string): string[] {
    return this.#inFolder(names(path), path, false, (folder) =>
      entries(folder)
        .map(({ name, isFolder }) => name.toString() + (isFolder ? "/" : ""))
        .sort(byCodePoint),
    );
  }

  /** All lines below a folder that hold `text`, by path and number. */
  search(text: string, path: string): SearchMatch[] {
    const matches: SearchMatch[] = [];
    const parts = names(path);
    this.#inFolder(parts, path, false, (folder) => {
      searchBelow(folder, Buffer.from(parts.map((name) => `${name}/`).join("")), text, matches);
    });
    return matches.sort((one, other) => byCodePoint(one.path, other.path) || one.line - other.line);
  }

  /** Run a command line, with the limits and the environment that are given. */
  async bash(
    commandLine: string,
    limits: Pick<Command, "env" | "timeoutS" | "outputLimitBytes">,
    stop: Stop,
  ): Promise<Finished> {
    if (commandLine.includes("\0")) {
      throw new ToolRefused("the command holds U+0000, which no command line may");
    }
    const program = findProgram("bash", limits.env["PATH"] ?? "");
    if (program === null) {
      throw new ToolRefused("bash is no program that can be found and run");
    }
    const argv = ["bash", "-c", commandLine] as const;
    return await run({ ...limits, program, argv: [...argv], folder: this.#folder }, stop, () => undefined);
  }

  /** Do something with the open folder that holds `path`, and the last name of `path`. */
  #inParent<Result>(
    path: string,
    makeFolders: boolean,
    act: (parent: number, name: string) => Result,
  ): Result {
    const folders = names(path);
    const name = folders.pop();
    if (name === undefined) {
      throw new ToolRefused(`${JSON.stringify(path)}: is the workspace and no file in it`);
    }
    return this.#inFolder(folders, path, makeFolders, (parent) => act(parent, name));
  }

  /** Go down one folder at a time, so that one exchanged for a link meanwhile is not followed either. */
  #inFolder<Result>(
    folders: string[],
    path: string,
    makeFolders: boolean,
    act: (folder: number) => Result,
  ): Result {
    let here = openFolder(this.#folder);
    try {
      for (const name of folders) {
        const inner = inFolder(here, name);
        if (makeFolders && lstatSync(inner, { throwIfNoEntry: false }) === undefined) {
          mkdirSync(inner);
        }
        const below = refusingLinks(path, () => openFolder(inner));
        closeSync(here);
        here = below;
      }
      return act(here);
    } finally {
      closeSync(here);
    }
  }
}

/** The names that make up a relative path, none for the workspace itself. */
function names(path: string): string[] {
  const parts = path.split("/").filter((name) => name !== "" && name !== ".");
  if (path.startsWith("/") || parts.includes("..") || path.includes("\0")) {
    throw new ToolRefused(`${JSON.stringify(path)}: is not a path inside the workspace`);
  }
  return parts;
}

function entries(folder: number): Entry[] {
  const names = readdirSync(inFolder(folder, "."), "buffer");
  return names.map((name) => ({
    name,
    isFolder: lstatSync(inFolder(folder, name), { throwIfNoEntry: false })?.isDirectory() ?? false,
  }));
}

function readRegularFile(parent: number, name: Buffer, path: string): string {
  const file = refusingLinks(path, () => openSync(inFolder(parent, name), EXISTING_FILE));
  try {
    if (!fstatSync(file).isFile()) {
      throw new ToolRefused(`${path}: is no file`);
    }
    return readFileSync(file).toString();
  } finally {
    closeSync(file);
  }
}

/** Add what is found in an open folder, which the workspace knows as `prefix`. */
function searchBelow(folder: number, prefix: Buffer, text: string, matches: SearchMatch[]): void {
  for (const { name, isFolder } of entries(folder)) {
    const path = Buffer.concat([prefix, name]);
    try {
      if (isFolder) {
        const below = openFolder(inFolder(folder, name));
        try {
          searchBelow(below, Buffer.concat([path, SLASH]), text, matches);
        } finally {
          closeSync(below);
        }
      } else {
        const lines = linesOf(readRegularFile(folder, name, path.toString()));
        for (const [at, line] of lines.entries()) {
          if (line.includes(text)) {
            matches.push({ path: path.toString(), line: at + 1, text: line });
          }
        }
      }
    } catch (failure) {
      // No regular file, or gone meanwhile.
      if (!(failure instanceof ToolRefused || isSystemFailure(failure))) {
        throw failure;
      }
    }
  }
}

function linesOf(text: string): string[] {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  if (lines.at(-1) === "") {
    lines.pop();
  }
  return lines;
}

function refusingLinks<Result>(path: string, open: () => Result): Result {
  try {
    return open();
  } catch (failure) {
    throw isSystemFailure(failure, "ELOOP") || isSystemFailure(failure, "ENOTDIR") ? link(path) : failure;
  }
}

function link(path: string): ToolRefused {
  return new ToolRefused(`${path}: goes through a symbolic link or something that is no folder`);
}
