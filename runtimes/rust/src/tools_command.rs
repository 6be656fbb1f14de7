//! `agentloop tools FOLDER`: a line of JSON for every call of a tool.
//!
//! Source: `runtimes/CONTRACT.md`, "Tools".

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;

use serde_json::{Value, json};
use tokio::runtime::LocalRuntime;

use crate::fields::{Fields, InvalidInput};
use crate::run::event_loop;
use crate::run_file::Verify;
use crate::text::in_one_line;
use crate::tools::ToolDispatcher;

/// Answers each call in order, in the workspace `folder`, until there are no more.
pub fn serve(folder: &Path, calls: impl BufRead, mut answers: impl Write) -> Result<(), Box<dyn Error>> {
    let folder = folder.canonicalize().ok().filter(|path| path.is_dir()).ok_or_else(|| {
        let folder = folder.display();
        InvalidInput(format!("{folder}: is no folder; name the workspace that the tools are to work in"))
    })?;
    let tools = ToolDispatcher::new(&folder);
    let event_loop = event_loop()?;
    for call in calls.split(b'\n') {
        let answer = match result(&call?, &tools, &event_loop) {
            Ok(result) => json!({ "result": result }),
            Err(failure) => json!({ "error": in_one_line(&failure.to_string()) }),
        };
        writeln!(answers, "{answer}")?;
        answers.flush()?;
    }
    Ok(())
}

fn result(
    call: &[u8],
    tools: &ToolDispatcher<'_>,
    event_loop: &LocalRuntime,
) -> Result<Value, Box<dyn Error>> {
    let call = Fields::of_text("call".to_owned(), call)?;
    Ok(match &*call.text("tool")? {
        "write_file" => json!(tools.write_file(&call.text("path")?, &call.text("content")?)?),
        "read_file" => json!(tools.read_file(&call.text("path")?)?),
        "list_dir" => json!(tools.list_dir(&call.text("path")?)?),
        "search" => json!(tools.search(&call.text("text")?, &call.text("path")?)?),
        "bash" => {
            let command = call.text("command")?;
            if command.contains('\0') {
                return Err(call
                    .invalid_input("command", "without U+0000, which no command line may hold")
                    .into());
            }
            let rules = Verify {
                argv: ["bash", "-c", &command].map(str::to_owned).into(),
                env: call.environment("env")?,
                timeout: call.positive_seconds("timeout_s")?,
                slots: 1,
                output_limit_bytes: call.size("output_limit_bytes")?,
            };
            let finished = event_loop.block_on(tools.bash(&rules))?;
            json!({
                "stdout": String::from_utf8_lossy(&finished.stdout),
                "stderr": String::from_utf8_lossy(&finished.stderr),
                "exit_code": finished.exit_code,
                "signal": finished.signal,
                "timed_out": finished.timed_out,
            })
        }
        _ => {
            return Err(call.invalid_input("tool", "write_file, read_file, list_dir, search or bash").into());
        }
    })
}
