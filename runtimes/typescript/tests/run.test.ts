/** Whole runs: the program itself, a small endpoint on a real socket, and what is left behind. */

import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { suite, test, type TestContext } from "node:test";

const MAIN = join(__dirname, "../src/main.js");
const PROMPTS = join(__dirname, "../../../contract/prompts.json");
const KEY = "sk-secret";
const CHECK = `grep -q right solution.py && [ -z "$LLM_API_KEY" ] && echo "1 passed in 0.01s" || { echo "1 failed in 0.01s"; exit 1; }`;

/** What one request said. */
interface Asked {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Answers the request of this number, counted from 1. */
type Answer = (response: ServerResponse, number: number) => void;

interface Event {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A run that is under way. */
interface Running {
  readonly program: ChildProcess;
  readonly folder: string;
  readonly asked: Asked[];
  readonly stderr: Promise<string>;
}

/** What a run has come to. */
interface Over {
  readonly status: number | null;
  readonly stderr: string;
  readonly events: Event[];
}

/** Listen on a port of its own, which is returned, until the test is over. */
async function listen(context: TestContext, server: Server): Promise<number> {
  context.after(() => {
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/**
 * Begin a run of one agent with the tasks "a" and "b", against an endpoint of its own; all ends with the test. `fields`
 * are of the run file, `starts` of the tasks; `limits` are commands of the shell that starts the program.
 */
async function begin(
  context: TestContext,
  answer: Answer,
  fields: object = {},
  starts: number[] = [],
  limits = ":",
): Promise<Running> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "agentloop-")));
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      answer(response, asked.push({ headers: request.headers, body }));
    });
  });
  const port = await listen(context, server);
  mkdirSync(join(folder, "workspaces"));
  const tasks = ["a", "b"].map((name, number) => ({
    task_id: name,
    prompt: "p",
    tests: "t",
    entry_point: "f",
    start_after_ns: starts[number],
  }));
  writeFileSync(join(folder, "tasks"), tasks.map((task) => `${JSON.stringify(task)}\n`).join(""));
  const run = {
    contract_version: 1,
    tasks_file: join(folder, "tasks"),
    prompts_file: PROMPTS,
    base_url: `http://127.0.0.1:${String(port)}/v1`,
    model: "m",
    request: {},
    agents: 1,
    max_retries: 1,
    verify: verify(CHECK),
    timeouts: { connect_s: 60, event_idle_s: 60, total_s: 60 },
    transport: { max_retries: 1, base_s: 0, cap_s: 0 },
    workspaces: join(folder, "workspaces"),
    events: join(folder, "events"),
    ...fields,
  };
  writeFileSync(join(folder, "run.json"), JSON.stringify(run));
  const start = `${limits}; exec "$0" "$@"`;
  const program = spawn("/bin/sh", ["-c", start, process.execPath, MAIN, join(folder, "run.json")], {
    env: { LLM_API_KEY: KEY },
    stdio: ["ignore", "ignore", "pipe"],
  });
  context.after(() => {
    program.kill("SIGKILL");
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });
  return { program, folder, asked, stderr: text(program.stderr) };
}

/** Wait for the end of a run. */
async function end({ program, folder, stderr }: Running): Promise<Over> {
  const [status] = (await once(program, "exit")) as [number | null];
  assert.deepEqual(readdirSync(join(folder, "workspaces")), []);
  return { status, stderr: await stderr, events: eventsIn(folder) };
}

function eventsIn(folder: string): Event[] {
  let lines: string;
  try {
    lines = readFileSync(join(folder, "events"), "utf8");
  } catch {
    return [];
  }
  assert.ok(!lines.includes(KEY));
  // What a last line begins that does not end is no event.
  return lines
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Event);
}

function verify(script: string): object {
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin" };
  return { argv: ["sh", "-c", script], env, timeout_s: 60, slots: 1, output_limit_bytes: 1000 };
}

/** Stream a reply whose code block is one line. */
function reply(response: ServerResponse, code: string): void {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.end(stream(code));
}

function stream(code: string): string {
  const chunks = [
    ["```python\n", null],
    [`${code}\n\`\`\``, "stop"],
  ].map(([content, finishReason]) => ({ choices: [{ delta: { content }, finish_reason: finishReason }] }));
  return [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"]
    .map((data) => `data: ${data}\n\n`)
    .join("");
}

function pick(events: Event[], kind: string, ...fields: string[]): unknown[][] {
  return events.filter(({ event }) => event === kind).map((event) => fields.map((field) => event[field]));
}

test("an answer of the tools that cannot be written ends them with one line", () => {
  const full = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, [MAIN, "tools", tmpdir()], {
    input: "{}\n",
    stdio: ["pipe", full, "pipe"],
  });
  closeSync(full);
  assert.equal(status, 1);
  assert.match(stderr.toString(), /^agentloop: .*ENOSPC.*\n$/);
});

suite("runs", () => {
  test("an attempt fails, the next passes, and another task fails for good", async (context) => {
    const running = await begin(context, (response, number) => {
      reply(response, number === 2 ? "right" : "wrong");
    });
    const { status, stderr, events } = await end(running);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.deepEqual(
      events.map(({ event }) => event),
      ["run_start", "attempt", "attempt", "task", "attempt", "attempt", "task", "run_end"],
    );
    assert.deepEqual(
      pick(events, "attempt", "task", "attempt", "verdict", "exit_code", "transport_retries"),
      [
        ["a", 1, "failed", 1, 0],
        ["a", 2, "passed", 0, 0],
        ["b", 1, "failed", 1, 0],
        ["b", 2, "failed", 1, 0],
      ],
    );
    assert.deepEqual(pick(events, "task", "task", "outcome", "attempts", "reason"), [
      ["a", "passed", 2, null],
      ["b", "failed", 2, null],
    ]);
    const sent = running.asked.map(({ body }) => [createHash("sha256").update(body).digest("hex")]);
    assert.deepEqual(pick(events, "attempt", "request_sha256"), sent);
    assert.deepEqual(
      new Set(running.asked.map(({ headers }) => headers.authorization)),
      new Set([`Bearer ${KEY}`]),
    );
    for (const times of pick(
      events,
      "attempt",
      ...["t_begin", "t_request", "t_first", "t_last", "t_queue", "t_spawn", "t_started", "t_exit", "t_end"],
    ) as number[][]) {
      assert.deepEqual(
        times,
        times.toSorted((one, other) => one - other),
      );
    }
  });

  test("a try that failed is made again", async (context) => {
    const running = await begin(context, (response, number) => {
      if (number === 1) {
        response.writeHead(503).end();
      } else {
        reply(response, "right");
      }
    });
    const { status, events } = await end(running);
    assert.equal(status, 0);
    assert.deepEqual(pick(events, "attempt", "task", "verdict", "transport_retries"), [
      ["a", "passed", 1],
      ["b", "passed", 0],
    ]);
    assert.equal(running.asked[0]?.body, running.asked[1]?.body);
  });

  test("a refusal that quotes the key is final, and does not show it", async (context) => {
    const { status, events } = await end(
      await begin(context, (response) => {
        response.writeHead(401).end(`no such key: ${KEY}`);
      }),
    );
    assert.equal(status, 0);
    const reason = "the endpoint answered 401: no such key: ***";
    assert.deepEqual(pick(events, "task", "task", "outcome", "attempts", "reason"), [
      ["a", "error", 1, reason],
      ["b", "error", 1, reason],
    ]);
  });

  test("tasks begin when their starts are due, and an agent that waits holds up no other", async (context) => {
    const answers: (() => void)[] = [];
    const { status, events } = await end(
      await begin(
        context,
        (response, number) => {
          // None is answered before both have asked.
          answers.push(() => {
            reply(response, "right");
          });
          if (number === 2) {
            answers.forEach((answer) => {
              answer();
            });
          }
        },
        { agents: 2 },
        [100_000_000, 200_000_000],
      ),
    );
    assert.equal(status, 0);
    const begins = new Map(pick(events, "attempt", "task", "t_begin") as [string, number][]);
    const runStart = Number(events[0]?.["t"]);
    assert.ok((begins.get("a") ?? 0) - runStart >= 100_000_000);
    assert.ok((begins.get("b") ?? 0) - runStart >= 200_000_000);
  });

  test("a request that is read slowly does not use up the time for the first event", async (context) => {
    // More than the kernel holds for a connection, and read only when the time for an event is long over.
    const padding = "x".repeat(16 * 1024 * 1024);
    const pauseMs = 1500;
    const server = createTcpServer({ pauseOnConnect: true }, (socket: Socket) => {
      let size = 0;
      socket.on("data", (piece) => {
        size += piece.length;
        if (size > padding.length && piece.toString("latin1").endsWith("}")) {
          socket.end(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${stream("right")}`);
        }
      });
      setTimeout(() => socket.resume(), pauseMs);
    });
    const port = await listen(context, server);
    const { status, events } = await end(
      await begin(context, () => undefined, {
        base_url: `http://127.0.0.1:${String(port)}/v1`,
        request: { padding },
        agents: 2,
        timeouts: { connect_s: 60, event_idle_s: 0.75, total_s: 60 },
        transport: { max_retries: 2, base_s: 0, cap_s: 0 },
      }),
    );
    assert.equal(status, 0);
    assert.deepEqual(pick(events, "task", "outcome", "reason"), [
      ["passed", null],
      ["passed", null],
    ]);
  });

  for (const [host, isNamed] of [
    ["localhost", true],
    ["127.0.0.1", false],
  ] as const) {
    test(`the name ${host} ${isNamed ? "is" : "is not"} sent before TLS begins`, async (context) => {
      const hellos: Buffer[] = [];
      const server = createTcpServer((socket) => {
        socket.once("data", (hello) => {
          hellos.push(hello);
          socket.destroy();
        });
      });
      const port = await listen(context, server);
      const base_url = `https://${host}:${String(port)}/v1`;
      const { status, stderr } = await end(await begin(context, () => undefined, { base_url }));
      assert.deepEqual([status, stderr], [0, ""]);
      assert.ok(hellos.length > 0);
      assert.deepEqual(new Set(hellos.map((hello) => hello.includes(host))), new Set([isNamed]));
    });
  }

  test("a file that may not grow so far is an error of its attempt, and children know of no such thing", async (context) => {
    const { status, stderr, events } = await end(
      await begin(
        context,
        (response, number) => {
          reply(response, number === 1 ? `right = "${"x".repeat(1024 * 1024)}"` : "right");
        },
        { verify: verify("kill -XFSZ $$"), max_retries: 0 },
        [],
        "ulimit -f 64",
      ),
    );
    assert.deepEqual([status, stderr], [0, ""]);
    assert.deepEqual(pick(events, "attempt", "task", "verdict", "signal", "reason"), [
      ["a", "error", null, "EFBIG: file too large, write"],
      ["b", "no_summary", constants.signals.SIGXFSZ, null],
    ]);
    assert.deepEqual(pick(events, "task", "task", "outcome"), [
      ["a", "error"],
      ["b", "failed"],
    ]);
  });

  test("an event file that may not grow ends the run", async (context) => {
    const running = await begin(
      context,
      (response) => {
        reply(response, "right");
      },
      {},
      [],
      "ulimit -f 1",
    );
    const { status, stderr } = await end(running);
    assert.equal(status, 1);
    assert.match(stderr, /^agentloop: .*\/events: cannot be written \(.*EFBIG.*\)\n$/);
  });

  const interrupted = (events: Event[]): void => {
    assert.deepEqual(pick(events, "attempt", "task", "verdict", "reason"), [
      ["a", "interrupted", "interrupted"],
    ]);
    assert.deepEqual(pick(events, "task", "task", "outcome", "attempts", "reason"), [
      ["a", "error", 1, "interrupted"],
      ["b", "error", 0, "interrupted"],
    ]);
    assert.equal(events.at(-1)?.event, "run_end");
  };

  test("SIGTERM while the model is silent", async (context) => {
    const running = await begin(context, () => {
      running.program.kill("SIGTERM");
    });
    const { status, stderr, events } = await end(running);
    assert.deepEqual([status, stderr], [143, ""]);
    interrupted(events);
  });

  test("SIGTERM while a task waits for its start", async (context) => {
    const running = await begin(
      context,
      () => {
        running.program.kill("SIGTERM");
      },
      { agents: 2 },
      [0, 2 ** 62],
    );
    const { status, stderr, events } = await end(running);
    assert.deepEqual([status, stderr, running.asked.length], [143, "", 1]);
    assert.deepEqual(pick(events, "attempt", "task"), [["a"]]);
    assert.deepEqual(
      new Set(pick(events, "task", "task", "outcome", "attempts", "reason")),
      new Set([
        ["a", "error", 1, "interrupted"],
        ["b", "error", 0, "interrupted"],
      ]),
    );
    assert.equal(events.at(-1)?.event, "run_end");
  });

  test("SIGINT while a test process runs, which is killed", async (context) => {
    const running = await begin(
      context,
      (response) => {
        reply(response, "right");
      },
      // The child itself sends the signal, once it is there.
      { verify: verify("kill -INT $PPID; exec sleep 600") },
    );
    const { status, stderr, events } = await end(running);
    assert.deepEqual([status, stderr], [130, ""]);
    interrupted(events);
    assert.deepEqual(pick(events, "attempt", "signal"), [[9]]);
  });

  test("an event file that cannot be created", async (context) => {
    const running = await begin(
      context,
      (response) => {
        reply(response, "right");
      },
      { events: "/dev/full/events" },
    );
    const { status, stderr } = await end(running);
    assert.deepEqual(
      [status, stderr],
      [2, "agentloop: events: /dev/full/events cannot be created (ENOTDIR); name a file that is not there\n"],
    );
  });

  test("a run file that is invalid", async (context) => {
    const running = await begin(context, () => undefined, { agents: 0 });
    const { status, stderr, events } = await end(running);
    const file = join(running.folder, "run.json");
    assert.deepEqual(
      [status, stderr, events],
      [2, `agentloop: ${file}: agents is 0; it must be an integer of at least 1, and below 2^53\n`, []],
    );
  });
});
