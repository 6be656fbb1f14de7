//! `agentloop RUN_FILE`: one run, from its run file to its exit status; or the tools.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::{env, panic};

use agentloop::fields::InvalidInput;
use agentloop::{inherited, run, text, tools_command};

const USAGE: &str = "give one run file, or `tools` and the path of a folder";

fn main() -> ExitCode {
    panic::set_hook(Box::new(|panicked| complain(&format!("unexpected {panicked}"))));
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match panic::catch_unwind(|| perform(&arguments)) {
        Ok(Ok(status)) => ExitCode::from(status),
        Ok(Err(failure)) => {
            complain(&failure.to_string());
            ExitCode::from(if failure.is::<InvalidInput>() { 2 } else { 1 })
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn perform(arguments: &[OsString]) -> Result<u8, Box<dyn Error>> {
    inherited::reset()?;
    match arguments {
        [tools, folder] if tools == "tools" => {
            tools_command::serve(Path::new(folder), io::stdin().lock(), io::stdout().lock())?;
            Ok(0)
        }
        [run_file] => run::perform(Path::new(run_file)),
        _ => {
            Err(InvalidInput(format!("{} arguments are too few or too many; {USAGE}", arguments.len()))
                .into())
        }
    }
}

/// One line on stderr; where nobody reads it, the exit status says the same.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "agentloop: {}", text::in_one_line(line));
}
