//! The one JSON text of a value that all runtimes agree on.
//!
//! Source: `runtimes/CONTRACT.md`, "Request", and `runtimes/contract/vectors/README.md`, `messages.json`.

use serde_json::{Number, Value};

/// Appends `value`, with its keys sorted by code point and without white space.
pub fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                write_comma(position, out);
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            // The map is ordered by the bytes of UTF-8, whose order is that of code points.
            for (position, (name, field)) in fields.iter().enumerate() {
                write_comma(position, out);
                write_text(name, out);
                out.push(':');
                write_value(field, out);
            }
            out.push('}');
        }
    }
}

/// Appends `text` as a JSON string in which only what has to be is escaped.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c| c < ' ' || c == '"' || c == '\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\x08' => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\x0c' => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            control => out.push_str(&format!("\\u{control:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

fn write_comma(position: usize, out: &mut String) {
    if position > 0 {
        out.push(',');
    }
}

/// Numbers without a fraction are integers, others the shortest decimal that reads back the same.
fn write_number(number: &Number, out: &mut String) {
    match number.as_f64() {
        Some(float) if number.is_f64() => out.push_str(&float_text(float)),
        _ => out.push_str(&number.to_string()),
    }
}

fn float_text(float: f64) -> String {
    if float == 0.0 {
        return "0".to_owned();
    }
    if float.fract() == 0.0 {
        return format!("{float:.0}");
    }
    if float.abs() >= 1e-4 {
        return float.to_string();
    }
    let text = format!("{float:e}");
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => text,
    }
}
