/** What the vectors of the contract define, but for streams. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { extract } from "../src/extraction.js";
import { normalise } from "../src/feedback.js";
import { byCodePoint, canonicalJson, isObject, parseJson, type JsonObject } from "../src/json.js";
import { Conversation } from "../src/messages.js";
import { presentable, spellingsOf } from "../src/reason.js";
import { parseBaseUrl } from "../src/run-file.js";
import { sha256 } from "../src/sha256.js";
import { judge } from "../src/verdict.js";
import { bytes, vectors } from "./vectors.js";

/** What takes longer than a moment is by no means in proportion to the length of the text. */
const MINUTE_MS = 60_000;

interface Extraction {
  readonly reply: string;
  readonly entry_point: string;
  readonly expected: string | null;
}

suite("extraction.json", () => {
  for (const vector of vectors<Extraction>("extraction.json")) {
    test(vector.name, () => {
      assert.equal(extract(vector.reply, vector.entry_point), vector.expected, vector.why);
    });
  }
});

suite("a long reply takes a time that is in proportion to its length", () => {
  const answer = "```python\na = 1\n```\n";
  const places = [
    (part: string) => `${part}\n${answer}`,
    (part: string) => `~~~\n${part}\n~~~\n${answer}`,
    (part: string) => answer + part,
  ];
  for (const [name, part] of [
    ["spaces", " "],
    ["backticks", "`"],
    ["openings", "```"],
    ["lines with fences", "```\n"],
    ["lines with tags", "~~~ text\n"],
    ["end tokens", "<|end|>"],
    ["beginnings of end tokens", "<|"],
    ["ends of end tokens", "|>"],
    ["thoughts", "<think></think>"],
    ["beginnings of thoughts", "<think>"],
    ["ends of thoughts", "</think>"],
    ["lines with ends of thoughts", "[/THINK]\n"],
    ["definitions", "def \n"],
  ] as const) {
    test(name, { timeout: MINUTE_MS }, () => {
      const [short, long] = [part.repeat(4), part.repeat(200_000)];
      for (const within of places) {
        const code = extract(within(long), "a");
        assert.equal(code?.replaceAll(long, short) ?? null, extract(within(short), "a"));
      }
    });
  }
});

interface BaseUrl {
  readonly base_url: string;
  readonly expected: { tls: boolean; host: string; port: number; host_header: string; target: string } | null;
}

suite("base_url.json", () => {
  for (const vector of vectors<BaseUrl>("base_url.json")) {
    test(vector.name, () => {
      const url = parseBaseUrl(vector.base_url);
      const found = url && {
        tls: url.tls,
        host: url.host,
        port: url.port,
        host_header: url.hostHeader,
        target: url.target,
      };
      assert.deepEqual(found, vector.expected, vector.why);
    });
  }
});

interface Reason {
  readonly said: string;
  readonly key: string;
  readonly expected: string;
}

suite("reasons.json", () => {
  for (const { name, why, said, key, expected } of vectors<Reason>("reasons.json")) {
    test(name, () => {
      assert.equal(presentable(said, spellingsOf(key)), expected, why);
    });
  }
});

interface Feedback {
  readonly stdout?: string;
  readonly stdout_base64?: string;
  readonly stderr?: string;
  readonly stderr_base64?: string;
  readonly workspace: string;
  readonly expected: string;
}

suite("feedback.json", () => {
  for (const vector of vectors<Feedback>("feedback.json")) {
    test(vector.name, () => {
      const stdout = bytes(vector.stdout, vector.stdout_base64);
      const stderr = bytes(vector.stderr, vector.stderr_base64);
      assert.equal(normalise(stdout, stderr, vector.workspace), vector.expected, vector.why);
    });
  }
});

interface Verdict {
  readonly exit_code: number | null;
  readonly timed_out: boolean;
  readonly stdout?: string;
  readonly stdout_base64?: string;
  readonly expected: string;
}

suite("verdicts.json", () => {
  for (const vector of vectors<Verdict>("verdicts.json")) {
    test(vector.name, () => {
      const stdout = bytes(vector.stdout, vector.stdout_base64);
      assert.equal(judge(vector.exit_code, vector.timed_out, stdout), vector.expected, vector.why);
    });
  }
});

interface Messages {
  readonly prompts: Record<"system" | "user" | "tests_failed" | "timed_out" | "no_code", string>;
  readonly task: { task_id: string; prompt: string; tests: string };
  readonly model: string;
  readonly request: JsonObject;
  readonly turns: { reply: string; then: "tests_failed" | "timed_out" | "no_code"; output?: string }[];
  readonly body: string;
  readonly sha256: string;
}

suite("messages.json", () => {
  for (const { name, why, prompts, task, model, request, turns, body, ...expected } of vectors<Messages>(
    "messages.json",
  )) {
    test(name, () => {
      const { system, user } = prompts;
      const texts = {
        testsFailed: prompts.tests_failed,
        timedOut: prompts.timed_out,
        noCode: prompts.no_code,
      };
      const { prompt, tests } = task;
      const conversation = new Conversation(
        { system, user, ...texts },
        { taskId: task.task_id, prompt, tests, entryPoint: "f", startAfterNs: 0n },
      );
      for (const { reply, then, output } of turns) {
        if (then === "tests_failed") {
          conversation.testsFailed(reply, output ?? "");
        } else if (then === "timed_out") {
          conversation.timedOut(reply);
        } else {
          conversation.noCode(reply);
        }
      }
      assert.equal(conversation.body(model, request), body, why);
      assert.equal(sha256(body), expected.sha256);
    });
  }
});

suite("JSON", () => {
  const same = [
    ["9007199254740993", "9007199254740993"],
    ["[-9223372036854775808,18446744073709551616]", "[-9223372036854775808,18446744073709551616]"],
    ["123456789012345680.0", "123456789012345680"],
    ["1e22", "10000000000000000000000"],
    ["-0.0", "0"],
    ["1e-5", "1e-05"],
    ["1.5e-7", "1.5e-07"],
    ["0.0001", "0.0001"],
    ["12345678901234567e-20", "0.00012345678901234567"],
    [
      String.raw`["9007199254740993","\"9007199254740993\\",9007199254740993]`,
      String.raw`["9007199254740993","\"9007199254740993\\",9007199254740993]`,
    ],
    ['{"\u{1f600}":1,"\uff01":2,"b":3,"a":4}', '{"a":4,"b":3,"\uff01":2,"\u{1f600}":1}'],
    ['{"__proto__":9007199254740993}', '{"__proto__":9007199254740993}'],
  ] as const;
  for (const [text, canonical] of same) {
    test(text, () => {
      assert.equal(canonicalJson(parseJson(text)), canonical);
    });
  }

  for (const text of [
    "09007199254740993",
    "9007199254740993 1",
    "[9007199254740993",
    "tru9007199254740993e",
    "NaN",
  ]) {
    test(`${text} is none`, () => {
      assert.throws(() => parseJson(text), SyntaxError);
    });
  }

  test("a string that does not end, and escapes, beside a long number", { timeout: MINUTE_MS }, () => {
    for (const rest of ["x".repeat(1_000_000), String.raw`\"`.repeat(500_000), "\\", '"'.repeat(500_000)]) {
      assert.throws(() => parseJson(`[9007199254740993,"${rest}`), SyntaxError);
    }
  });

  test("infinity cannot be written", () => {
    assert.throws(
      () => canonicalJson(parseJson("1e999")),
      new RangeError("a number is too large for a double"),
    );
  });

  test("a list and null are no objects", () => {
    assert.deepEqual([{}, [], null, "x"].map(isObject), [true, false, false, false]);
  });

  test("strings in the order of their code points, which is that of their UTF-8", () => {
    const characters = ["", "a", "\u00e9", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];
    const all = characters.flatMap((one) => characters.map((other) => one + other));
    const expected = all.toSorted((one, other) => Buffer.from(one).compare(Buffer.from(other)));
    assert.deepEqual(all.toSorted(byCodePoint), expected);
  });
});
