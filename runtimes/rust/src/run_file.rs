//! The run file: everything that a run is told.
//!
//! Source: `runtimes/CONTRACT.md`, "The run file".

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::endpoint::Address;
use crate::fields::{Fields, InvalidInput};

/// The contract that this runtime obeys.
pub const CONTRACT_VERSION: u64 = 1;

const OWN_FIELDS: [&str; 3] = ["messages", "model", "stream"];

/// How attempts are verified.
#[derive(Debug)]
pub struct Verify {
    /// What runs.
    pub argv: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// How long it may take.
    pub timeout: Duration,
    /// How many run at once.
    pub slots: usize,
    /// How many of the last bytes of each output are kept.
    pub output_limit_bytes: usize,
}

/// Bounds of a completion.
#[derive(Debug)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// Between two data events.
    pub event_idle: Duration,
    /// Over all tries.
    pub total: Duration,
}

/// How often a failed try is repeated, and how long the pauses are.
#[derive(Debug)]
pub struct Transport {
    /// Tries after the first.
    pub max_retries: u64,
    /// The bound of the first pause; each that follows has twice the bound.
    pub base: Duration,
    /// The bound of every pause.
    pub cap: Duration,
}

/// The fields of a run file.
#[derive(Debug)]
pub struct RunFile {
    /// JSON lines, a task each.
    pub tasks_file: PathBuf,
    /// Where the prompts are.
    pub prompts_file: PathBuf,
    /// Where the endpoint is.
    pub address: Address,
    /// Sent as `model`.
    pub model: String,
    /// Further fields of every request.
    pub request: Map<String, Value>,
    /// How many agents are at work at once.
    pub agents: u64,
    /// How many attempts may follow the first.
    pub max_retries: u64,
    /// How attempts are verified.
    pub verify: Verify,
    /// Bounds of a completion.
    pub timeouts: Timeouts,
    /// Repetitions of a failed try.
    pub transport: Transport,
    /// The folder of all workspaces, its path free of symbolic links.
    pub workspaces: PathBuf,
    /// The event file, which is not there yet.
    pub events: PathBuf,
}

impl RunFile {
    /// Reads and checks a run file.
    pub fn load(path: &Path) -> Result<Self, InvalidInput> {
        let fields = Fields::of_file(path)?;
        if fields.integer("contract_version", 0)? != CONTRACT_VERSION {
            let wanted = format!("{CONTRACT_VERSION}, the one that this runtime obeys");
            return Err(fields.invalid_input("contract_version", &wanted));
        }
        let verify = fields.fields("verify")?;
        let timeouts = fields.fields("timeouts")?;
        let transport = fields.fields("transport")?;
        Ok(Self {
            tasks_file: fields.path("tasks_file")?,
            prompts_file: fields.path("prompts_file")?,
            address: Address::parse(&fields.text("base_url")?).ok_or_else(|| {
                let wanted =
                    "http:// or https://, a host without a user, and a port, a path and a query if need be";
                fields.invalid_unshown("base_url", wanted)
            })?,
            model: fields.text("model")?,
            request: request(&fields)?,
            agents: fields.integer("agents", 1)?,
            max_retries: fields.integer("max_retries", 0)?,
            verify: Verify {
                argv: verify.arguments("argv")?,
                env: verify.environment("env")?,
                timeout: verify.positive_seconds("timeout_s")?,
                slots: verify.size("slots")?,
                output_limit_bytes: verify.size("output_limit_bytes")?,
            },
            timeouts: Timeouts {
                connect: timeouts.positive_seconds("connect_s")?,
                event_idle: timeouts.positive_seconds("event_idle_s")?,
                total: timeouts.positive_seconds("total_s")?,
            },
            transport: Transport {
                max_retries: transport.integer("max_retries", 0)?,
                base: transport.seconds("base_s")?,
                cap: transport.seconds("cap_s")?,
            },
            workspaces: fields.writable_folder("workspaces")?,
            events: fields.path("events")?,
        })
    }
}

fn request(fields: &Fields) -> Result<Map<String, Value>, InvalidInput> {
    let request = fields.object("request")?;
    if OWN_FIELDS.iter().any(|&name| request.contains_key(name)) {
        let wanted = format!("an object without {}", OWN_FIELDS.join(", "));
        return Err(fields.invalid_input("request", &wanted));
    }
    Ok(request)
}
