//! The tasks file: JSON lines, one coding problem each.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::fields::{Fields, InvalidInput, cannot_be_read};

/// One coding problem.
#[derive(Debug)]
pub struct Task {
    /// Its name, unique in the run.
    pub task_id: String,
    /// The specification.
    pub prompt: String,
    /// The pytest module that a solution must pass.
    pub tests: String,
    /// What a solution must define.
    pub entry_point: String,
    /// Nanoseconds after the run's start before which it is not begun; less than 2^63.
    pub start_after_ns: u64,
}

/// The tasks of a file, read one by one, so that those that wait take no memory.
pub struct Tasks {
    path: PathBuf,
    file: BufReader<File>,
    line: Vec<u8>,
    number: usize,
}

impl Tasks {
    /// Opens a tasks file.
    pub fn open(path: &Path) -> Result<Self, InvalidInput> {
        let file = File::open(path).map_err(|failure| cannot_be_read(path, &failure))?;
        Ok(Self { path: path.to_owned(), file: BufReader::new(file), line: Vec::new(), number: 0 })
    }

    fn read(&mut self) -> Result<Option<Task>, InvalidInput> {
        self.line.clear();
        self.number += 1;
        let size = self.file.read_until(b'\n', &mut self.line);
        if size.map_err(|failure| cannot_be_read(&self.path, &failure))? == 0 {
            return Ok(None);
        }
        let fields = Fields::of_text(format!("{}, line {}", self.path.display(), self.number), &self.line)?;
        Ok(Some(Task {
            task_id: fields.text("task_id")?,
            prompt: fields.text("prompt")?,
            tests: fields.text("tests")?,
            entry_point: fields.text("entry_point")?,
            start_after_ns: fields.nanoseconds("start_after_ns")?,
        }))
    }
}

impl Iterator for Tasks {
    type Item = Result<Task, InvalidInput>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// How many tasks a file holds: an error when there are none, one does not load, or two have the same name.
pub fn count_tasks(path: &Path) -> Result<usize, InvalidInput> {
    let mut seen = HashSet::new();
    for task in Tasks::open(path)? {
        let name = task?.task_id;
        if let Some(name) = seen.replace(name) {
            return Err(InvalidInput(format!(
                "{}: task_id {name:?} is there twice; give every task its own",
                path.display()
            )));
        }
    }
    if seen.is_empty() {
        let path = path.display();
        return Err(InvalidInput(format!("{path}: holds no task; write one JSON object a line there")));
    }
    Ok(seen.len())
}
