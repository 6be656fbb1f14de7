//! JSON objects from files, whose fields are asked for by type.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use rustix::fs::{Access, access};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::text::in_one_line;

/// The run file, or something it names, cannot be used; the text says what, where and what to do.
#[derive(Debug)]
pub struct InvalidInput(pub String);

impl fmt::Display for InvalidInput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for InvalidInput {}

/// The fields of one JSON object.
///
/// Asking for one that is missing, of another type or out of bounds is an error that names it. One that is never
/// asked for may be any JSON, also what `Value` does not take: a number beyond a double, or more than 127 levels.
pub struct Fields {
    origin: String,
    prefix: String,
    values: BTreeMap<String, Box<RawValue>>,
}

impl Fields {
    /// The fields of the JSON object that a file holds.
    pub fn of_file(path: &Path) -> Result<Self, InvalidInput> {
        let text = fs::read(path).map_err(|failure| cannot_be_read(path, &failure))?;
        Self::of_text(path.display().to_string(), &text)
    }

    /// The fields of the JSON object that `text`, from `origin`, is.
    pub fn of_text(origin: String, text: &[u8]) -> Result<Self, InvalidInput> {
        let failure = match serde_json::from_slice::<&RawValue>(text) {
            Ok(json) => match serde_json::from_str(json.get()) {
                Ok(values) => return Ok(Self { origin, prefix: String::new(), values }),
                Err(_) => format!("holds {}", shown(json)),
            },
            Err(failure) => format!("is not JSON ({failure})"),
        };
        Err(InvalidInput(format!("{origin}: {failure}; write one JSON object there")))
    }

    /// A string, which may be empty.
    pub fn text(&self, name: &str) -> Result<String, InvalidInput> {
        self.value(name, "a string", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    /// The strings of a list that is not empty, fit for a command line.
    pub fn arguments(&self, name: &str) -> Result<Vec<String>, InvalidInput> {
        self.value(name, "a list of strings, at least one", |value| {
            value.as_array().filter(|items| !items.is_empty())?.iter().map(argument).collect()
        })
    }

    /// The names and values of an object of strings, fit for a process's environment.
    pub fn environment(&self, name: &str) -> Result<Vec<(String, String)>, InvalidInput> {
        self.value(name, "an object of strings, fit for an environment", |value| {
            let is_name = |name: &str| !name.is_empty() && !name.contains(['=', '\0']);
            let entry = |(name, value): (&String, &Value)| {
                Some((is_name(name).then(|| name.clone())?, argument(value)?))
            };
            value.as_object()?.iter().map(entry).collect()
        })
    }

    /// An object with any fields.
    pub fn object(&self, name: &str) -> Result<Map<String, Value>, InvalidInput> {
        let wanted = "an object, nested 100 deep at most, of numbers that a double can hold";
        self.value(name, wanted, |value| match value {
            Value::Object(fields) => Some(fields),
            _ => None,
        })
    }

    /// An object whose fields are to be asked for in turn.
    pub fn fields(&self, name: &str) -> Result<Self, InvalidInput> {
        let values = self.values.get(name).and_then(|json| serde_json::from_str(json.get()).ok());
        Ok(Self {
            origin: self.origin.clone(),
            prefix: format!("{}{name}.", self.prefix),
            values: values.ok_or_else(|| self.invalid_input(name, "an object"))?,
        })
    }

    /// An integer.
    pub fn integer(&self, name: &str, at_least: u64) -> Result<u64, InvalidInput> {
        self.value(name, &format!("an integer of at least {at_least}"), |value| {
            value.as_u64().filter(|&number| number >= at_least)
        })
    }

    /// An integer that is used as a size, and so is no larger than memory could be.
    pub fn size(&self, name: &str) -> Result<usize, InvalidInput> {
        Ok(usize::try_from(self.integer(name, 1)?).unwrap_or(usize::MAX))
    }

    /// A number of nanoseconds, small enough to be added to a clock's; 0 when the field is missing.
    pub fn nanoseconds(&self, name: &str) -> Result<u64, InvalidInput> {
        if !self.values.contains_key(name) {
            return Ok(0);
        }
        self.value(name, "an integer of at least 0 and below 2^63", |value| {
            value.as_i64().and_then(|number| u64::try_from(number).ok())
        })
    }

    /// A number of seconds above 0.
    pub fn positive_seconds(&self, name: &str) -> Result<Duration, InvalidInput> {
        self.value(name, "a number above 0", |value| {
            value.as_f64().filter(|&seconds| seconds > 0.0).map(duration)
        })
    }

    /// A number of seconds.
    pub fn seconds(&self, name: &str) -> Result<Duration, InvalidInput> {
        self.value(name, "a number of at least 0", |value| {
            value.as_f64().filter(|&seconds| seconds >= 0.0).map(duration)
        })
    }

    /// A path.
    pub fn path(&self, name: &str) -> Result<PathBuf, InvalidInput> {
        self.value(name, "a path", |value| {
            value.as_str().filter(|path| !path.is_empty() && !path.contains('\0')).map(PathBuf::from)
        })
    }

    /// The path, free of symbolic links, of a folder that is there and can be written to.
    pub fn writable_folder(&self, name: &str) -> Result<PathBuf, InvalidInput> {
        let wanted = "an existing folder that can be written to, its path in UTF-8";
        let folder = self.path(name)?.canonicalize().map_err(|_| self.invalid_input(name, wanted))?;
        let is_writable = access(&folder, Access::WRITE_OK | Access::EXEC_OK).is_ok();
        if folder.is_dir() && is_writable && folder.to_str().is_some() {
            Ok(folder)
        } else {
            Err(self.invalid_input(name, wanted))
        }
    }

    /// The error that says what a field is and what it must be.
    pub fn invalid_input(&self, name: &str, wanted: &str) -> InvalidInput {
        let found = match self.values.get(name) {
            Some(json) => format!("is {}", shown(json)),
            None => "is missing".to_owned(),
        };
        InvalidInput(format!("{}: {}{name} {found}; it must be {wanted}", self.origin, self.prefix))
    }

    /// The error for a field that may hold a password, so that its value is not shown.
    pub fn invalid_unshown(&self, name: &str, wanted: &str) -> InvalidInput {
        InvalidInput(format!("{}: {}{name} (not shown) must be {wanted}", self.origin, self.prefix))
    }

    fn value<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<T, InvalidInput> {
        let value = self.values.get(name).and_then(|json| serde_json::from_str(json.get()).ok());
        value.and_then(read).ok_or_else(|| self.invalid_input(name, wanted))
    }
}

/// The error for a file that cannot be read.
pub fn cannot_be_read(path: &Path, failure: &std::io::Error) -> InvalidInput {
    InvalidInput(format!("{}: cannot be read ({failure}); name a file that is there", path.display()))
}

fn argument(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.contains('\0')).map(str::to_owned)
}

/// As many seconds as given, or as many as there can be.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

fn shown(json: &RawValue) -> String {
    let text = in_one_line(json.get());
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
