//! What a run is given.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

/// A folder with everything that a run file names.
pub struct Scene(pub PathBuf);

impl Scene {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("agentloop-{name}-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub fn run_file(&self) -> Value {
        json!({
            "contract_version": 1,
            "tasks_file": self.0.join("tasks.jsonl"),
            "prompts_file": self.0.join("prompts.json"),
            "base_url": "http://127.0.0.1:1/v1",
            "model": "m",
            "request": { "temperature": 0 },
            "agents": 2,
            "max_retries": 3,
            "verify": {
                "argv": ["true"], "env": { "PATH": "/bin" },
                "timeout_s": 1e300, "slots": 2, "output_limit_bytes": 100
            },
            "timeouts": { "connect_s": 1, "event_idle_s": 2.5, "total_s": 3 },
            "transport": { "max_retries": 2, "base_s": 0, "cap_s": 1 },
            "workspaces": self.0,
            "events": self.0.join("events.jsonl"),
            "something": "else"
        })
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}
