//! The program where no file may grow beyond 2,048 bytes.

mod scene;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::scene::Scene;

/// What becomes of the program, whose stderr goes to `stderr`.
fn limited(arguments: &[&str], stdin: &str, stderr: Stdio) -> Output {
    let mut program = Command::new("/bin/sh")
        .args(["-c", "ulimit -f 4; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_agentloop")])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    program.wait_with_output().unwrap()
}

/// A scene with these tasks, whose tests are as long as asked for, and the address of its endpoint.
fn scene(name: &str, tasks: &[&str], tests_bytes: usize, base_url: &str) -> Scene {
    let scene = Scene::new(name);
    let task = |name: &&str| json!({ "task_id": name, "prompt": "p", "tests": "t".repeat(tests_bytes), "entry_point": "e" });
    scene.write("tasks.jsonl", &tasks.iter().map(|name| task(name).to_string() + "\n").collect::<String>());
    fs::copy("../contract/prompts.json", scene.0.join("prompts.json")).unwrap();
    fs::create_dir(scene.0.join("workspaces")).unwrap();
    let mut run = scene.run_file();
    run["workspaces"] = json!(scene.0.join("workspaces"));
    run["base_url"] = json!(base_url);
    scene.write("run.json", &run.to_string());
    scene
}

impl Scene {
    fn run(&self) -> Output {
        let output = limited(&[self.0.join("run.json").to_str().unwrap()], "", Stdio::piped());
        assert_eq!(fs::read_dir(self.0.join("workspaces")).unwrap().count(), 0);
        output
    }
}

/// Answers one request with a completion.
fn endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut request = BufReader::new(listener.accept().unwrap().0);
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            request.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        request.read_exact(&mut vec![0; length]).unwrap();
        let choice = json!({ "delta": { "content": "```\nx = 1\n```" }, "finish_reason": "stop" });
        let chunk = json!({ "choices": [choice] });
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        write!(request.get_mut(), "{head}data: {chunk}\n\ndata: [DONE]\n\n").unwrap();
    });
    format!("http://{address}/v1")
}

#[test]
fn a_file_of_an_attempt_is_one_that_the_machine_refuses() {
    let scene = scene("limit-attempt", &["a"], 5000, &endpoint());
    assert_eq!(scene.run().status.code(), Some(0));
    let events = fs::read_to_string(scene.0.join("events.jsonl")).unwrap();
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&events[1]["event"], &events[1]["verdict"]), (&json!("attempt"), &json!("error")));
    assert!(events[1]["reason"].as_str().unwrap().contains("File too large"));
    assert_eq!((&events[2]["event"], &events[2]["outcome"]), (&json!("task"), &json!("error")));
}

#[test]
fn the_event_file_ends_the_run() {
    // Nobody listens there, so that every attempt is soon over.
    let scene = scene("limit-events", &["a", "b", "c", "d", "e"], 1, "http://127.0.0.1:1/v1");
    let output = scene.run();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("events.jsonl") && said.contains("File too large"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_file_of_a_tool_is_an_error_and_children_have_the_signal_at_its_default() {
    let scene = Scene::new("limit-tools");
    let calls = [
        json!({ "tool": "write_file", "path": "a", "content": "x".repeat(3000) }),
        json!({ "tool": "list_dir", "path": "" }),
        json!({
            "tool": "bash", "command": "grep SigIgn /proc/self/status", "env": { "PATH": "/usr/bin:/bin" },
            "timeout_s": 60, "output_limit_bytes": 99
        }),
    ];
    let calls: String = calls.iter().map(|call| format!("{call}\n")).collect();
    let output = limited(&["tools", scene.0.to_str().unwrap()], &calls, Stdio::inherit());
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(answers[0]["error"].as_str().unwrap().contains("File too large"));
    assert_eq!(answers[1], json!({ "result": [] }));
    let ignored = answers[2]["result"]["stdout"].as_str().unwrap().trim_start_matches("SigIgn:").trim();
    let of_kernel_alone = !(1 << 31 | 1 << 32); // libc keeps the others to itself, and posix_spawn ignores them.
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & of_kernel_alone, 0);
}

#[test]
fn a_complaint_that_cannot_be_written_is_dropped() {
    let scene = Scene::new("limit-stderr");
    let full = scene.write("stderr", &"x".repeat(4096));
    let full = fs::OpenOptions::new().append(true).open(full).unwrap();
    assert_eq!(limited(&[], "", full.into()).status.code(), Some(2));
}
