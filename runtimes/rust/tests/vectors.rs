//! Every vector of `runtimes/contract/vectors/`.

use std::convert::Infallible;
use std::fs;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use agentloop::completion::{Break, BrokenStream, Completion};
use agentloop::conversation::{Conversation, Prompts, Script};
use agentloop::digest::Digest;
use agentloop::endpoint::Address;
use agentloop::extraction::extract;
use agentloop::feedback::normalise;
use agentloop::fields::Fields;
use agentloop::reason::KeySpellings;
use agentloop::sse::EventStream;
use agentloop::task::Task;
use agentloop::transport;
use agentloop::verdict::judge;
use hyper::Uri;
use serde_json::{Value, json};

fn vectors(file: &str) -> Vec<Value> {
    let path = format!("{}/../contract/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(!cases.is_empty(), "{path} holds no case");
    cases
}

/// The bytes of a field, which is text or, with a suffix to its name, base64.
fn bytes(case: &Value, name: &str) -> Vec<u8> {
    match &case[name] {
        Value::String(text) => text.clone().into_bytes(),
        _ => from_base64(case[format!("{name}_base64")].as_str().unwrap()),
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        held = held << 6 | DIGITS.iter().position(|&digit| digit == byte).unwrap() as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

#[test]
fn extraction() {
    for case in vectors("extraction.json") {
        let found = extract(case["reply"].as_str().unwrap(), case["entry_point"].as_str().unwrap());
        assert_eq!(json!(found), case["expected"], "{}: {}", case["name"], case["why"]);
    }
}

#[test]
fn white_space_before_an_end_token_is_dropped() {
    assert_eq!(extract("```\na = 1 \n\t<|im_end|>", "").unwrap(), "a = 1\n");
}

#[test]
fn feedback() {
    for case in vectors("feedback.json") {
        let workspace = case["workspace"].as_str().unwrap();
        let text = normalise(&bytes(&case, "stdout"), &bytes(&case, "stderr"), workspace);
        assert_eq!(text, case["expected"], "{}: {}", case["name"], case["why"]);
    }
}

#[test]
fn verdicts() {
    for case in vectors("verdicts.json") {
        let exit_code = case["exit_code"].as_i64().map(|code| code as i32);
        let verdict = judge(exit_code, case["timed_out"].as_bool().unwrap(), &bytes(&case, "stdout"));
        assert_eq!(json!(verdict), case["expected"], "{}: {}", case["name"], case["why"]);
    }
}

#[test]
fn messages() {
    for case in vectors("messages.json") {
        let of_object =
            |name: &str| Fields::of_text(name.to_owned(), case[name].to_string().as_bytes()).unwrap();
        let fields = of_object("task");
        let text = |name| fields.text(name).unwrap();
        let (task_id, prompt, tests) = (text("task_id"), text("prompt"), text("tests"));
        let entry_point = String::new();
        let task = Task { task_id, prompt, tests, entry_point, start_after_ns: 0 };
        let prompts = Prompts::of_fields(&of_object("prompts")).unwrap();
        let request = case["request"].as_object().unwrap();
        let script = Rc::new(Script::new(prompts, case["model"].as_str().unwrap(), request));
        let mut conversation = Conversation::new(script, &task);
        for turn in case["turns"].as_array().unwrap() {
            let reply = turn["reply"].as_str().unwrap();
            match turn["then"].as_str().unwrap() {
                "tests_failed" => conversation.tests_failed(reply, turn["output"].as_str().unwrap()),
                "timed_out" => conversation.timed_out(reply),
                "no_code" => conversation.no_code(reply),
                other => panic!("{other} is no prompt"),
            }
        }
        let body = conversation.body();
        let text = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(text, case["body"], "{}: {}", case["name"], case["why"]);
        assert_eq!(Digest::of(&body).to_string(), case["sha256"], "{}", case["name"]);
    }
}

#[test]
fn retry_after() {
    for case in vectors("retry_after.json") {
        let now = UNIX_EPOCH + Duration::from_secs(case["now"].as_u64().unwrap());
        let asked = transport::retry_after(case["value"].as_str().unwrap(), now).as_secs_f64();
        assert_eq!(asked, case["expected"].as_f64().unwrap(), "{}: {}", case["name"], case["why"]);
    }
}

#[test]
fn base_urls() {
    for case in vectors("base_url.json") {
        let address = Address::parse(case["base_url"].as_str().unwrap()).map(|address| {
            // As the request line has it.
            let uri: Uri = address.target.parse().unwrap();
            json!({
                "tls": address.is_encrypted,
                "host": address.host,
                "port": address.port,
                "host_header": address.authority,
                "target": uri.to_string(),
            })
        });
        assert_eq!(json!(address), case["expected"], "{}: {}", case["name"], case["why"]);
    }
}

#[test]
fn reasons() {
    for case in vectors("reasons.json") {
        let reason =
            KeySpellings::of(case["key"].as_str().unwrap()).presentable(case["said"].as_str().unwrap());
        assert_eq!(reason, case["expected"], "{}: {}", case["name"], case["why"]);
    }
}

/// The data of the events of a stream in these pieces.
fn parsed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut events = EventStream::default();
    let mut data = Vec::new();
    for piece in pieces {
        let fed: Result<(), Infallible> = events.feed(piece, |event| {
            data.push(event.to_owned());
            Ok(())
        });
        fed.unwrap();
    }
    data
}

/// What these data add up to, in the words of the vectors.
fn completion(data: &[String]) -> Value {
    let mut completion = Completion::default();
    let added = data.iter().try_for_each(|event| completion.add(event)).and_then(|()| completion.end());
    match added {
        Ok(()) => json!({
            "text": completion.text,
            "finish_reason": completion.finish_reason,
            "usage": completion.usage,
            "error": null,
        }),
        Err(BrokenStream { kind, .. }) => {
            let error = match kind {
                Break::Truncated => "truncated",
                Break::Malformed => "malformed",
                Break::Endpoint => "endpoint",
            };
            json!({ "text": null, "finish_reason": null, "usage": null, "error": error })
        }
    }
}

#[test]
fn streams_cut_anywhere() {
    for case in vectors("sse.json") {
        let stream = bytes(&case, "stream");
        let expected: Vec<String> = serde_json::from_value(case["data"].clone()).unwrap();
        assert_eq!(completion(&expected), case["completion"], "{}: {}", case["name"], case["why"]);
        assert_eq!(parsed([&stream[..]]), expected, "{} whole: {}", case["name"], case["why"]);
        assert_eq!(parsed(stream.chunks(1)), expected, "{} byte by byte: {}", case["name"], case["why"]);
        for cut in 0..stream.len() {
            let (head, tail) = stream.split_at(cut);
            assert_eq!(parsed([head, tail]), expected, "{} cut at {cut}: {}", case["name"], case["why"]);
        }
    }
}

#[test]
fn a_usage_that_no_reader_could_hold_is_passed_over() {
    let nested = ["[".repeat(300), "]".repeat(300)].concat();
    for usage in ["1e400", &"7".repeat(5000), &nested] {
        let mut completion = Completion::default();
        completion.add(r#"{"usage": {"a": 1}}"#).unwrap();
        completion.add(&format!(r#"{{"usage": {{"a": {usage}}}}}"#)).unwrap();
        assert_eq!(completion.usage.unwrap().get(), r#"{"a":1}"#);
    }
}

#[test]
fn of_several_members_by_one_name_the_last_counts() {
    let mut completion = Completion::default();
    let choice =
        |text: &str| format!(r#""choices":[{{"delta":{{"content":"{text}"}},"finish_reason":"stop"}}]"#);
    completion.add(&format!("{{{},{}}}", choice("a"), choice("b"))).unwrap();
    assert_eq!(completion.text, "b");
}

#[test]
fn streams_cut_at_random() {
    let streams = vectors("sse.json");
    for case in &streams {
        let stream = bytes(case, "stream");
        let whole = parsed([&stream[..]]);
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut pieces = Vec::new();
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at(random.usize(1..=rest.len().min(12)));
                pieces.push(piece);
                rest = tail;
            }
            assert_eq!(parsed(pieces), whole, "{}, seed {seed}", case["name"]);
        }
    }
}
