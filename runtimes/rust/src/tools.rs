//! What a model may do in a workspace, and nothing outside it.
//!
//! Source: `runtimes/CONTRACT.md`, "Tools".

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, mkdirat, open, openat, renameat, statat, unlinkat};
use rustix::io::Errno;
use serde::Serialize;

use crate::process::Finished;
use crate::run_file::Verify;
use crate::verifier::start;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
// Without NONBLOCK, opening a named pipe would wait for someone to write to it.
const EXISTING_FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A line that holds what was sought.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SearchMatch {
    /// The file, as the workspace sees it.
    pub path: String,
    /// Its number, from 1.
    pub line: usize,
    /// The line itself.
    pub text: String,
}

/// The tools of one workspace, whose paths lead nowhere else: not by `..`, not by symbolic links.
pub struct ToolDispatcher<'a> {
    folder: &'a Path,
}

impl<'a> ToolDispatcher<'a> {
    /// The tools of the workspace `folder`.
    pub fn new(folder: &'a Path) -> Self {
        Self { folder }
    }

    /// Writes a file whole or not at all, and makes the folders it needs.
    pub fn write_file(&self, path: &str, content: &str) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let (folders, name) = parent_and_name(path)?;
        let parent = self.opened(&folders, path, true)?;
        if file_type(&parent, name) == Ok(FileType::Symlink) {
            return Err(link(path));
        }
        let temporary = format!(".writing-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut file = File::from(openat(&parent, &*temporary, NEW_FILE, Mode::from_raw_mode(0o644))?);
        let written = file
            .write_all(content.as_bytes())
            .and_then(|()| Ok(renameat(&parent, &*temporary, &parent, name)?));
        if written.is_err() {
            unlinkat(&parent, &*temporary, AtFlags::empty())?;
        }
        written
    }

    /// The text of a regular file.
    pub fn read_file(&self, path: &str) -> io::Result<String> {
        let (folders, name) = parent_and_name(path)?;
        self.read(&folders, name, path)
    }

    /// The names in a folder, with a slash behind those of folders.
    pub fn list_dir(&self, path: &str) -> io::Result<Vec<String>> {
        let folder = self.opened(&names(path)?, path, false)?;
        let entries = entries(&folder)?.into_iter();
        let shown = |(name, is_folder): (OsString, bool)| printable(&name) + if is_folder { "/" } else { "" };
        let mut listed: Vec<_> = entries.map(shown).collect();
        listed.sort();
        Ok(listed)
    }

    /// All lines in the regular files below a folder that hold `text`, by path and number.
    pub fn search(&self, text: &str, path: &str) -> io::Result<Vec<SearchMatch>> {
        let mut matches = Vec::new();
        let top: Vec<_> = names(path)?.into_iter().map(OsStr::to_owned).collect();
        let mut waiting = vec![top.clone()];
        while let Some(folders) = waiting.pop() {
            let opened = self.opened(&folders, path, false);
            let listed = match opened.and_then(|folder| Ok(entries(&folder)?)) {
                Err(failure) if folders == top => return Err(failure),
                // Gone meanwhile, or not to be read.
                listed => listed.unwrap_or_default(),
            };
            for (name, is_folder) in listed {
                if is_folder {
                    waiting.push(folders.iter().cloned().chain([name]).collect());
                } else if let Ok(content) = self.read(&folders, &name, path) {
                    let path: PathBuf = folders.iter().chain([&name]).collect();
                    matches.extend(lines_with(text, &content, &printable(path.as_os_str())));
                }
            }
        }
        matches.sort();
        Ok(matches)
    }

    /// Runs a command line under `rules`, whose `argv` is `bash -c` and the command.
    pub async fn bash(&self, rules: &Verify) -> io::Result<Finished> {
        start(rules, self.folder)?.finish(rules.timeout).await
    }

    fn read(&self, folders: &[impl AsRef<OsStr>], name: &OsStr, path: &str) -> io::Result<String> {
        let parent = self.opened(folders, path, false)?;
        let mut file = File::from(opened_at(&parent, name, EXISTING_FILE, path)?);
        if !file.metadata()?.is_file() {
            return Err(refused(format!("{path}: is no regular file")));
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        Ok(String::from_utf8(content)
            .unwrap_or_else(|failure| String::from_utf8_lossy(failure.as_bytes()).into_owned()))
    }

    /// Goes down one folder at a time, so that one exchanged for a link meanwhile is not followed either.
    fn opened(&self, folders: &[impl AsRef<OsStr>], path: &str, makes_folders: bool) -> io::Result<OwnedFd> {
        let mut here = open(self.folder, FOLDER, Mode::empty())?;
        for folder in folders {
            if makes_folders {
                match mkdirat(&here, folder.as_ref(), Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(failure) => return Err(failure.into()),
                }
            }
            here = opened_at(&here, folder.as_ref(), FOLDER, path)?;
        }
        Ok(here)
    }
}

/// The names that make up a relative path, none for the workspace itself.
fn names(path: &str) -> io::Result<Vec<&OsStr>> {
    let names: Vec<_> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    if path.starts_with('/') || names.contains(&"..") || path.contains('\0') {
        return Err(refused(format!("{path:?}: is not a path inside the workspace")));
    }
    Ok(names.into_iter().map(OsStr::new).collect())
}

fn parent_and_name(path: &str) -> io::Result<(Vec<&OsStr>, &OsStr)> {
    let mut folders = names(path)?;
    match folders.pop() {
        Some(name) => Ok((folders, name)),
        None => Err(refused(format!("{path:?}: is the workspace and no file in it"))),
    }
}

fn opened_at(folder: &OwnedFd, name: &OsStr, flags: OFlags, path: &str) -> io::Result<OwnedFd> {
    openat(folder, name, flags, Mode::empty()).map_err(|failure| match failure {
        Errno::LOOP | Errno::NOTDIR => link(path),
        other => other.into(),
    })
}

fn file_type(folder: &OwnedFd, name: &OsStr) -> Result<FileType, Errno> {
    Ok(FileType::from_raw_mode(statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode))
}

/// The names in a folder, and which of them are folders.
fn entries(folder: &OwnedFd) -> Result<Vec<(OsString, bool)>, Errno> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
        if name != "." && name != ".." {
            // One that is gone meanwhile is no folder.
            let is_folder = file_type(folder, &name) == Ok(FileType::Directory);
            entries.push((name, is_folder));
        }
    }
    Ok(entries)
}

fn lines_with(text: &str, content: &str, path: &str) -> Vec<SearchMatch> {
    let lines = content.split_inclusive('\n').map(|line| {
        let without_end = line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n'));
        without_end.unwrap_or(line)
    });
    (1..)
        .zip(lines)
        .filter(|(_, line)| line.contains(text))
        .map(|(line, content)| SearchMatch { path: path.to_owned(), line, text: content.to_owned() })
        .collect()
}

fn refused(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, reason)
}

fn link(path: &str) -> io::Error {
    refused(format!("{path}: goes through a symbolic link or something that is no folder"))
}

/// A file name, which may be of any bytes, as text.
fn printable(name: &OsStr) -> String {
    String::from_utf8_lossy(name.as_bytes()).into_owned()
}
