//! Parsers at their edges: numbers, addresses, pauses and what a run file may say.

mod scene;

use std::time::Duration;

use agentloop::canonical::write_value;
use agentloop::fields::Fields;
use agentloop::run_file::{RunFile, Transport};
use agentloop::task::{Tasks, count_tasks};
use agentloop::transport::backoff;
use serde_json::{Value, json};

use crate::scene::Scene;

fn canonical(text: &str) -> String {
    let mut out = String::new();
    write_value(&serde_json::from_str(text).unwrap(), &mut out);
    out
}

#[test]
fn numbers_are_shown_as_all_runtimes_show_them() {
    for (given, expected) in [
        ("1.0", "1"),
        ("-0.0", "0"),
        ("1e22", "10000000000000000000000"),
        ("4503599627370495.5", "4503599627370495.5"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("-1.5e-7", "-1.5e-07"),
        ("1e-100", "1e-100"),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        assert_eq!(canonical(given), expected);
    }
}

#[test]
fn random_doubles_read_back_the_same() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let double = f64::from_bits(random.u64(..));
        if double.is_finite() {
            assert_eq!(canonical(&format!("{double:e}")).parse::<f64>().unwrap(), double);
        }
    }
}

#[test]
fn random_texts_read_back_the_same() {
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..2_000 {
        let text: String = (0..20)
            .map(|_| if random.bool() { random.char(..) } else { random.char('\0'..'\u{80}') })
            .collect();
        let value = json!({ &text: [&text, { "": null }] });
        let shown = canonical(&value.to_string());
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        assert_eq!(shown, value.to_string());
    }
}

#[test]
fn pauses_are_drawn_below_a_bound_that_doubles() {
    let transport =
        Transport { max_retries: 9, base: Duration::from_millis(100), cap: Duration::from_secs(1) };
    for (failures, bound_ms) in [(0, 100), (1, 200), (3, 800), (4, 1000), (40, 1000), (u64::MAX, 1000)] {
        let drawn: Vec<_> = (0..200).map(|_| backoff(&transport, failures)).collect();
        assert!(drawn.iter().all(|pause| *pause <= Duration::from_millis(bound_ms)));
        assert!(drawn.iter().any(|pause| *pause > Duration::from_millis(bound_ms / 2)));
    }
}

#[test]
fn run_files_are_taken_or_refused_by_field() {
    let scene = Scene::new("run-file");
    let load = |run: &Value| RunFile::load(&scene.write("run.json", &run.to_string()));
    let run = load(&scene.run_file()).unwrap();
    assert_eq!(run.timeouts.event_idle, Duration::from_millis(2500));
    assert_eq!(run.verify.timeout, Duration::MAX);
    for (pointer, value, said) in [
        ("/agents", json!(0), "agents is 0; it must be an integer of at least 1"),
        ("/agents", json!(1.5), "agents is 1.5; it must be an integer of at least 1"),
        ("/model", json!(null), "model is null; it must be a string"),
        ("/verify/argv", json!([]), "verify.argv is []; it must be a list of strings, at least one"),
        ("/timeouts/total_s", json!(0), "timeouts.total_s is 0; it must be a number above 0"),
        ("/transport/cap_s", json!(-1), "transport.cap_s is -1; it must be a number of at least 0"),
        (
            "/request",
            json!({ "stream": false }),
            "request is {\"stream\":false}; it must be an object without messages, model, stream",
        ),
    ] {
        let mut changed = scene.run_file();
        *changed.pointer_mut(pointer).unwrap() = value;
        let refused = load(&changed).unwrap_err().to_string();
        assert_eq!(refused, format!("{}: {said}", scene.0.join("run.json").display()));
    }
}

#[test]
fn fields_that_nobody_asks_for_may_be_any_json() {
    let nested = ["[".repeat(300), "]".repeat(300)].concat();
    for value in ["1e400", &"7".repeat(5000), &nested] {
        let text = format!(r#"{{"a": {value}, "b": {{"c": 1, "d": {value}}}, "e": "x"}}"#);
        let fields = Fields::of_text("here".to_owned(), text.as_bytes()).unwrap();
        assert_eq!(fields.text("e").unwrap(), "x");
        assert_eq!(fields.fields("b").unwrap().integer("c", 0).unwrap(), 1);
        let refused = fields.seconds("a").unwrap_err().to_string();
        assert!(refused.starts_with("here: a is ") && refused.ends_with("it must be a number of at least 0"));
        assert!(fields.object("b").is_err());
    }
}

#[test]
fn tasks_are_read_one_by_one_and_checked() {
    let scene = Scene::new("tasks");
    let task = |name: &str| {
        json!({ "task_id": name, "prompt": "p\u{2028}", "tests": "t", "entry_point": "e" }).to_string()
    };
    let path = scene.write("tasks.jsonl", &format!("{}\r\n{}", task("a"), task("b")));
    assert_eq!(count_tasks(&path).unwrap(), 2);
    let names: Vec<_> = Tasks::open(&path).unwrap().map(|task| task.unwrap().task_id).collect();
    assert_eq!(names, ["a", "b"]);
    let twice = scene.write("tasks.jsonl", &format!("{}\n{}\n", task("a"), task("a")));
    let refused = count_tasks(&twice).unwrap_err().to_string();
    let expected = "task_id \"a\" is there twice; give every task its own";
    assert_eq!(refused, format!("{}: {expected}", twice.display()));
}

#[test]
fn starts_are_taken_or_refused() {
    let scene = Scene::new("task-starts");
    let start = |value: &str| {
        let task = r#"{"task_id": "a", "prompt": "p", "tests": "t", "entry_point": "e""#;
        let path = scene.write("tasks.jsonl", &format!("{task}{value}}}"));
        Tasks::open(&path).unwrap().next().unwrap().map(|task| task.start_after_ns)
    };
    assert_eq!(start("").unwrap(), 0);
    for taken in [0, 1, i64::MAX as u64] {
        assert_eq!(start(&format!(r#", "start_after_ns": {taken}"#)).unwrap(), taken);
    }
    for refused in ["-1", "0.5", "1.5", "9223372036854775808", "null", "true", "\"1\"", "[1]"] {
        let said = start(&format!(r#", "start_after_ns": {refused}"#)).unwrap_err().to_string();
        let line = format!("{}, line 1", scene.0.join("tasks.jsonl").display());
        let wanted = "it must be an integer of at least 0 and below 2^63";
        assert_eq!(said, format!("{line}: start_after_ns is {refused}; {wanted}"));
    }
}
