/**
 * One run: what the run file names is put together, and every way to end has its exit status.
 *
 * Source: runtimes/CONTRACT.md, "Exit".
 */

import { constants } from "node:os";

import { runAgents } from "./agent.js";
import { Chat } from "./chat.js";
import { complain } from "./complaint.js";
import { Pool } from "./connection.js";
import { closeInheritedDescriptors } from "./descriptors.js";
import { EventFile } from "./events.js";
import { described, isSystemFailure, InvalidInput } from "./failures.js";
import { loadPrompts } from "./messages.js";
import { CONTRACT_VERSION, loadRunFile, type RunFile } from "./run-file.js";
import { Stop } from "./stop.js";
import { checkTasks, loadTasks } from "./tasks.js";
import { Verifier } from "./verifier.js";

const STOPPING = ["SIGINT", "SIGTERM"] as const;
const HEADER_VALUE = /^[ -~]*$/;

/** Do the run that a run file describes and return its exit status; throws `InvalidInput` before anything is done. */
export async function perform(path: string): Promise<number> {
  const run = loadRunFile(path);
  const prompts = loadPrompts(run.promptsFile);
  // More agents than tasks would have nothing to do.
  const agents = Math.min(run.agents, checkTasks(run.tasksFile));
  const stop = new Stop();
  const verifier = new Verifier(run.verify, stop);
  const apiKey = apiKeyOfEnvironment();
  const pool = await Pool.to(run.baseUrl);
  closeInheritedDescriptors();
  for (const signal of STOPPING) {
    process.on(signal, () => {
      stop.begin(signal);
    });
  }
  process.on("uncaughtException", (failure) => {
    stop.begin(failure);
  });
  const events = createEventFile(run);
  const chat = new Chat(pool, { ...run, apiKey }, stop);
  try {
    const runStart = events.runStart(CONTRACT_VERSION);
    const services = { ...run, chat, prompts, verifier, events };
    await runAgents(services, loadTasks(run.tasksFile), agents, runStart, stop);
    pool.close();
    events.runEnd();
  } catch (failure) {
    stop.begin(failure);
  }
  return exitStatus(stop);
}

function exitStatus(stop: Stop): number {
  if (!stop.stopped) {
    return 0;
  }
  if (stop.reason === "SIGINT" || stop.reason === "SIGTERM") {
    return 128 + constants.signals[stop.reason];
  }
  complain(described(stop.reason));
  return 1;
}

function apiKeyOfEnvironment(): string {
  const key = process.env["LLM_API_KEY"] ?? "";
  if (!HEADER_VALUE.test(key)) {
    throw new InvalidInput(
      "LLM_API_KEY: holds characters that a header may not hold; set it to the key alone",
    );
  }
  return key;
}

function createEventFile({ events }: RunFile): EventFile {
  try {
    return new EventFile(events);
  } catch (failure) {
    const reason = isSystemFailure(failure) ? failure.code : String(failure);
    throw new InvalidInput(`events: ${events} cannot be created (${reason}); name a file that is not there`);
  }
}
