/** The agent: ask, extract, write, verify, retry. */

import type { Chat } from "./chat.js";
import { now } from "./clock.js";
import { Attempt, type EventFile, type Outcome } from "./events.js";
import { extract } from "./extraction.js";
import { ChatFailed, inOneLine, Interrupted, isSystemFailure, WorkspaceInUse } from "./failures.js";
import { normalise } from "./feedback.js";
import type { JsonObject } from "./json.js";
import { Conversation, type Prompts } from "./messages.js";
import type { Stop } from "./stop.js";
import type { Task } from "./tasks.js";
import { ToolDispatcher } from "./tools.js";
import { judge } from "./verdict.js";
import type { Verifier } from "./verifier.js";
import { makeWorkspace, removeTree } from "./workspace.js";

/** What all agents of a run share. */
export interface AgentServices {
  readonly chat: Chat;
  readonly model: string;
  readonly request: JsonObject;
  readonly prompts: Prompts;
  readonly verifier: Verifier;
  readonly workspaces: string;
  readonly maxRetries: number;
  readonly events: EventFile;
}

/** Works on tasks until their tests pass or their attempts are used up. */
export class Agent {
  readonly #services: AgentServices;

  constructor(services: AgentServices) {
    this.#services = services;
  }

  /** Work on a task. Its one task event is written whatever happens; throws what ends the run after it. */
  async solve(task: Task): Promise<void> {
    const { events, prompts, maxRetries } = this.#services;
    const conversation = new Conversation(prompts, task);
    let attempt = new Attempt(task.taskId, 1, now());
    let end = await this.#record(attempt, task, conversation);
    while (canBeImproved(attempt) && attempt.attempt <= maxRetries) {
      attempt = new Attempt(task.taskId, attempt.attempt + 1, attempt.tEnd ?? now());
      end = await this.#record(attempt, task, conversation);
    }
    events.task(task.taskId, outcome(attempt), attempt.attempt, attempt.reason);
    if (end !== null) {
      throw end;
    }
  }

  /** Make one attempt and write its event; returns what ends the run, if anything does. */
  async #record(attempt: Attempt, task: Task, conversation: Conversation): Promise<Error | null> {
    let end: Error | null = null;
    try {
      await this.#step(attempt, task, conversation);
    } catch (caught) {
      const failure = caught instanceof Error ? caught : new Error(String(caught));
      attempt.verdict = failure instanceof Interrupted ? "interrupted" : "error";
      attempt.reason = inOneLine(failure.message);
      end = isOfTheAttempt(failure) ? null : failure;
    }
    attempt.tEnd = now();
    this.#services.events.attempt(attempt);
    return end;
  }

  async #step(attempt: Attempt, task: Task, conversation: Conversation): Promise<void> {
    const { chat, model, request, workspaces } = this.#services;
    const reply = await chat.complete(conversation.body(model, request), attempt);
    const code = extract(reply, task.entryPoint);
    if (code === null) {
      attempt.verdict = "no_code";
      conversation.noCode(reply);
      return;
    }
    const folder = makeWorkspace(workspaces);
    try {
      await this.#verify(folder, code, reply, attempt, task, conversation);
    } finally {
      await removeTree(folder);
    }
  }

  async #verify(
    folder: string,
    code: string,
    reply: string,
    attempt: Attempt,
    task: Task,
    conversation: Conversation,
  ): Promise<void> {
    const tools = new ToolDispatcher(folder);
    tools.writeFile("solution.py", code);
    tools.writeFile("test_solution.py", task.tests);
    const { exitCode, timedOut, stdout, stderr } = await this.#services.verifier.verify(folder, attempt);
    attempt.verdict = judge(exitCode, timedOut, stdout);
    if (attempt.verdict === "timed_out") {
      conversation.timedOut(reply);
    } else if (attempt.verdict !== "passed") {
      conversation.testsFailed(reply, normalise(stdout, stderr, folder));
    }
  }
}

/** Solve all tasks: each agent takes the next when it is done with one, and waits for its start after `runStart`. */
export async function runAgents(
  services: AgentServices,
  tasks: Iterable<Task, undefined>,
  agents: number,
  runStart: bigint,
  stop: Stop,
): Promise<void> {
  const agent = new Agent(services);
  const waiting = tasks[Symbol.iterator]();
  const notBegun = ({ taskId }: Task): void => {
    services.events.task(taskId, "error", 0, "interrupted");
  };
  const work = async (): Promise<void> => {
    for (let task; !stop.stopped && (task = waiting.next().value) !== undefined; ) {
      const start = runStart + task.startAfterNs;
      // Not awaited in vain: all other agents would take their tasks before this one begins.
      if (now() < start) {
        try {
          await stop.waitUntil(start);
        } catch (failure) {
          notBegun(task);
          throw failure;
        }
      }
      await agent.solve(task);
    }
  };
  const working = Array.from({ length: agents }, async () => {
    try {
      await work();
    } catch (failure) {
      stop.begin(failure);
    }
  });
  await Promise.all(working);
  for (let task; (task = waiting.next().value) !== undefined; ) {
    notBegun(task);
  }
}

function canBeImproved({ verdict }: Attempt): boolean {
  return verdict !== "passed" && verdict !== "error" && verdict !== "interrupted";
}

function outcome({ verdict }: Attempt): Outcome {
  if (verdict === "passed" || verdict === "error") {
    return verdict;
  }
  return verdict === "interrupted" ? "error" : "failed";
}

/** Whether the failure is this attempt's alone, and the run goes on. */
function isOfTheAttempt(failure: Error): boolean {
  return failure instanceof ChatFailed || failure instanceof WorkspaceInUse || isSystemFailure(failure);
}
