/**
 * The conversation with the model, and the exact text that carries it.
 *
 * Source: runtimes/CONTRACT.md, "One task", and runtimes/contract/vectors/messages.json.
 */

import { Fields } from "./fields.js";
import { canonicalJson, type JsonObject } from "./json.js";
import type { Task } from "./tasks.js";

const PLACEHOLDER = /\{(task_id|prompt|tests|output)\}/g;

/** The texts of prompts.json. */
export interface Prompts {
  readonly system: string;
  readonly user: string;
  readonly testsFailed: string;
  readonly timedOut: string;
  readonly noCode: string;
}

/** Read prompts.json; throws `InvalidInput`. */
export function loadPrompts(path: string): Prompts {
  const fields = Fields.ofFile(path);
  return {
    system: fields.text("system"),
    user: fields.text("user"),
    testsFailed: fields.text("tests_failed"),
    timedOut: fields.text("timed_out"),
    noCode: fields.text("no_code"),
  };
}

/** All that was said about one task. The first two messages are made anew for each request, and not kept. */
export class Conversation {
  readonly #prompts: Prompts;
  readonly #task: Task;
  readonly #later: JsonObject[] = [];

  constructor(prompts: Prompts, task: Task) {
    this.#prompts = prompts;
    this.#task = task;
  }

  /** Go on after a reply that did not pass; `output` is the normalised output of the tests. */
  testsFailed(reply: string, output: string): void {
    this.#goOn(reply, fill(this.#prompts.testsFailed, { output }));
  }

  /** Go on after a reply whose tests had to be stopped. */
  timedOut(reply: string): void {
    this.#goOn(reply, this.#prompts.timedOut);
  }

  /** Go on after a reply without a code block. */
  noCode(reply: string): void {
    this.#goOn(reply, this.#prompts.noCode);
  }

  /** The request body, in canonical JSON; `request` holds the further fields. */
  body(model: string, request: JsonObject): string {
    const { taskId, prompt, tests } = this.#task;
    const values = { task_id: taskId, prompt, tests };
    const messages = [
      { role: "system", content: fill(this.#prompts.system, values) },
      { role: "user", content: fill(this.#prompts.user, values) },
      ...this.#later,
    ];
    return canonicalJson({ ...request, model, messages, stream: true });
  }

  #goOn(reply: string, answer: string): void {
    this.#later.push({ role: "assistant", content: reply }, { role: "user", content: answer });
  }
}

/** Replace placeholders in one pass: what is put in is not looked at again, and unknown ones are text. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(PLACEHOLDER, (placeholder, name: string) => values[name] ?? placeholder);
}
