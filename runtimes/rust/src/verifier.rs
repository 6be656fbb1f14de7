//! Runs the verifier, or any other command, in a workspace: a few at a time, first come, first served.
//!
//! Source: `runtimes/CONTRACT.md`, "Verification".

use std::io;
use std::path::Path;

use tokio::sync::Semaphore;

use crate::clock::now_ns;
use crate::events::Attempt;
use crate::process::{Child, Finished, find_program};
use crate::run_file::Verify;

/// Runs commands under the rules of a run file.
pub struct Verifier {
    rules: Verify,
    slots: Semaphore,
}

impl Verifier {
    /// Runs as many at once as `rules` allow.
    pub fn new(rules: Verify) -> Self {
        let slots = Semaphore::new(rules.slots.min(Semaphore::MAX_PERMITS));
        Self { rules, slots }
    }

    /// Runs the verifier in `folder` and stamps `attempt`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub async fn verify(&self, folder: &Path, attempt: &mut Attempt) -> io::Result<Finished> {
        attempt.t_queue = Some(now_ns());
        let slot = self.slots.acquire().await.map_err(io::Error::other)?;
        attempt.t_spawn = Some(now_ns());
        let child = start(&self.rules, folder)?;
        attempt.t_started = Some(now_ns());
        let finished = child.finish(self.rules.timeout).await?;
        attempt.t_exit = Some(now_ns());
        drop(slot);
        attempt.exit_code = finished.exit_code;
        attempt.signal = finished.signal;
        attempt.timed_out = finished.timed_out;
        Ok(finished)
    }
}

/// Starts what `rules` say in `folder`.
pub fn start(rules: &Verify, folder: &Path) -> io::Result<Child> {
    let name = &rules.argv[0];
    let program = find_program(name, search_path(&rules.env)).ok_or_else(|| {
        let reason = format!("{name} is no program that can be found and run");
        io::Error::new(io::ErrorKind::NotFound, reason)
    })?;
    Child::start(&program, &rules.argv, &rules.env, folder, rules.output_limit_bytes)
}

/// The `PATH` of an environment.
pub fn search_path(env: &[(String, String)]) -> &str {
    env.iter().find(|(name, _)| name == "PATH").map_or("", |(_, path)| path)
}
