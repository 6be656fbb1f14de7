//! The program with tasks that have a start of their own.

mod scene;

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::scene::Scene;

const SOON_NS: u64 = 50_000_000;
const NEVER_NS: u64 = i64::MAX as u64;

/// The program, which does not outlive its test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether something comes to be so within 20 s.
fn soon(mut is_so: impl FnMut() -> bool) -> bool {
    let given_up = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        if Instant::now() > given_up {
            return false;
        }
        thread::yield_now();
    }
    true
}

#[test]
fn a_task_waits_for_its_start_and_a_signal_ends_the_wait() {
    let scene = Scene::new("waits");
    let starts = [("a", 0), ("b", SOON_NS), ("c", NEVER_NS), ("d", NEVER_NS), ("e", NEVER_NS)];
    let tasks = starts.map(|(name, start)| {
        json!({ "task_id": name, "prompt": "p", "tests": "t", "entry_point": "e", "start_after_ns": start })
            .to_string()
    });
    scene.write("tasks.jsonl", &tasks.join("\n"));
    fs::copy("../contract/prompts.json", scene.0.join("prompts.json")).unwrap();
    // Nobody listens there, so that an attempt that begins is soon over.
    let run_file = scene.write("run.json", &scene.run_file().to_string());
    let program = Command::new(env!("CARGO_BIN_EXE_agentloop")).arg(run_file).stdin(Stdio::null()).spawn();
    let mut program = Program(program.unwrap());
    let events = || -> Vec<Value> {
        let text = fs::read_to_string(scene.0.join("events.jsonl")).unwrap_or_default();
        text.lines().map_while(|line| serde_json::from_str(line).ok()).collect()
    };
    let told =
        |kind: &str| -> Vec<Value> { events().into_iter().filter(|event| event["event"] == kind).collect() };
    assert!(soon(|| told("task").len() == 2));
    kill_process(Pid::from_child(&program.0), Signal::TERM).unwrap();
    assert!(soon(|| program.0.try_wait().unwrap().is_some()));
    assert_eq!(program.0.wait().unwrap().code(), Some(143));

    let t = told("run_start")[0]["t"].as_u64().unwrap();
    let attempts = told("attempt");
    assert_eq!(attempts.len(), 2);
    for (attempt, (name, start)) in attempts.iter().zip(starts) {
        assert_eq!(attempt["task"], name);
        assert!(attempt["t_begin"].as_u64().unwrap() >= t + start);
    }
    let mut left: Vec<_> = told("task")
        .into_iter()
        .filter(|task| task["reason"] == "interrupted")
        .map(|task| (task["task"].clone(), task["outcome"].clone(), task["attempts"].clone()))
        .collect();
    left.sort_by_key(|(task, ..)| task.to_string());
    assert_eq!(left, ["c", "d", "e"].map(|task| (json!(task), json!("error"), json!(0))));
    assert_eq!(events().last().unwrap()["event"], "run_end");
}
