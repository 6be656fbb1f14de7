/** Children, folders and tools, with real ones. */

import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";

import { findProgram, run, type Finished } from "../src/child.js";
import { Interrupted, ToolRefused } from "../src/failures.js";
import { Slots } from "../src/slots.js";
import { Stop } from "../src/stop.js";
import { ToolDispatcher } from "../src/tools.js";
import { makeWorkspace, removeTree } from "../src/workspace.js";

const PATH = "/usr/local/bin:/usr/bin:/bin";

function temporaryFolder(context: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "agentloop-")));
  context.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function shell(
  script: string,
  stop = new Stop(),
  timeoutS = 60,
  onStarted = (): void => undefined,
): Promise<Finished> {
  return await run(
    {
      program: "/bin/sh",
      argv: ["sh", "-c", script],
      env: { PATH },
      folder: "/",
      timeoutS,
      outputLimitBytes: 10,
    },
    stop,
    onStarted,
  );
}

suite("children", () => {
  test("the end of both outputs, and the exit code", async () => {
    const finished = await shell("seq 1000; echo 0123456789abc >&2; exit 7");
    assert.deepEqual(
      [
        finished.exitCode,
        finished.signal,
        finished.timedOut,
        String(finished.stdout),
        String(finished.stderr),
      ],
      [7, null, false, "\n999\n1000\n".slice(-10), "456789abc\n"],
    );
  });

  test("a signal", async () => {
    const finished = await shell("kill -TERM $$");
    assert.deepEqual([finished.exitCode, finished.signal, finished.timedOut], [null, 15, false]);
  });

  test("killed at the timeout", async () => {
    const finished = await shell("trap '' TERM; while :; do sleep 60; done", new Stop(), 0.1);
    assert.deepEqual([finished.exitCode, finished.signal, finished.timedOut], [null, 9, true]);
  });

  test("killed at the stop of the run", async () => {
    const stop = new Stop();
    const finished = await shell("sleep 600", stop, 600, () => {
      stop.begin("test");
    });
    assert.deepEqual([finished.exitCode, finished.signal, finished.timedOut], [null, 9, false]);
  });

  test("what is no program is refused", async (context) => {
    const program = join(temporaryFolder(context), "program");
    writeFileSync(program, "\x7fELF");
    const command = {
      program,
      argv: ["x"] as [string],
      env: {},
      folder: "/",
      timeoutS: 1,
      outputLimitBytes: 1,
    };
    await assert.rejects(
      run(command, new Stop(), () => undefined),
      { code: "EACCES" },
    );
  });

  test("programs are found past what cannot be executed", (context) => {
    const [one, other] = [temporaryFolder(context), temporaryFolder(context)];
    mkdirSync(join(one, "folder"));
    writeFileSync(join(one, "check"), "");
    writeFileSync(join(other, "check"), "");
    chmodSync(join(other, "check"), 0o755);
    assert.equal(findProgram("check", `relative:${one}:${other}`), join(other, "check"));
    assert.equal(findProgram("folder", one), null);
    assert.equal(findProgram("./check", ""), "./check");
  });
});

test("slots are handed on in the order of asking, and not after the stop", async () => {
  const stop = new Stop();
  const slots = new Slots(1, stop);
  const order: number[] = [];
  await slots.take();
  const waiting = [1, 2].map(async (number) => {
    await slots.take();
    order.push(number);
    slots.giveBack();
  });
  slots.giveBack();
  await Promise.all(waiting);
  assert.deepEqual(order, [1, 2]);
  await slots.take();
  const late = slots.take();
  stop.begin("test");
  await assert.rejects(late, new Interrupted("interrupted"));
});

suite("workspaces", () => {
  test("gone, whatever it holds, and nothing that a link leads to", async (context) => {
    const parent = temporaryFolder(context);
    const outside = join(parent, "outside");
    writeFileSync(outside, "kept");
    const folder = makeWorkspace(parent);
    await shell(
      `cd ${folder}; mkdir -p a/b/c d; touch a/b/c/file "$(printf '\\377')"; ln -s ${outside} a/link; ln -s ${parent} d/up;` +
        ` mkfifo pipe; chmod 0 a/b/c a/b a .`,
    );
    await removeTree(folder);
    assert.equal(existsSync(folder), false);
    assert.equal(readFileSync(outside, "utf8"), "kept");
  });

  test("a link in its place is removed, and one that is gone is fine", async (context) => {
    const parent = temporaryFolder(context);
    const folder = join(parent, "attempt");
    symlinkSync(parent, folder);
    await removeTree(folder);
    assert.throws(() => readlinkSync(folder), { code: "ENOENT" });
    await removeTree(folder);
  });
});

suite("tools", () => {
  test("files are written, read, listed and searched", (context) => {
    const tools = new ToolDispatcher(temporaryFolder(context));
    tools.writeFile("a/b.txt", "one\r\ntwo\nthree");
    tools.writeFile("a.txt", "two");
    assert.equal(tools.readFile("./a//b.txt"), "one\r\ntwo\nthree");
    assert.deepEqual(tools.listDir(""), ["a.txt", "a/"]);
    assert.deepEqual(tools.search("two", "."), [
      { path: "a.txt", line: 1, text: "two" },
      { path: "a/b.txt", line: 2, text: "two" },
    ]);
  });

  test("bash runs in the workspace", async (context) => {
    const folder = temporaryFolder(context);
    const limits = { env: { PATH }, timeoutS: 60, outputLimitBytes: 1000 };
    const { stdout } = await new ToolDispatcher(folder).bash("pwd", limits, new Stop());
    assert.equal(String(stdout), `${folder}\n`);
  });

  test("nothing leads out", (context) => {
    const parent = temporaryFolder(context);
    const folder = join(parent, "workspace");
    mkdirSync(folder);
    writeFileSync(join(parent, "secret"), "x");
    symlinkSync("../secret", join(folder, "link"));
    symlinkSync("..", join(folder, "up"));
    const tools = new ToolDispatcher(folder);
    const through = (path: string): ToolRefused =>
      new ToolRefused(`${path}: goes through a symbolic link or something that is no folder`);
    assert.throws(
      () => tools.readFile("../secret"),
      new ToolRefused('"../secret": is not a path inside the workspace'),
    );
    assert.throws(() => tools.readFile(join(parent, "secret")), ToolRefused);
    assert.throws(() => tools.readFile("link"), through("link"));
    assert.throws(() => tools.readFile("up/secret"), through("up/secret"));
    assert.throws(() => {
      tools.writeFile("link", "y");
    }, through("link"));
    assert.throws(() => tools.listDir("up"), through("up"));
    assert.deepEqual(tools.search("x", ""), []);
    assert.equal(readFileSync(join(parent, "secret"), "utf8"), "x");
  });
});
