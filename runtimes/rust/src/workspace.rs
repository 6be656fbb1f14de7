//! A folder of an attempt's own, gone when the attempt ends, whatever was done to it.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

/// How long a process that nobody could kill may go on writing while its folder is being removed.
const PATIENCE: Duration = Duration::from_secs(1);

/// A new folder, which is gone when this is dropped.
pub struct Workspace {
    path: PathBuf,
    is_removed: bool,
}

impl Workspace {
    /// Makes the folder below `parent`.
    pub fn new(parent: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("attempt-{}-{number}", process::id()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path, is_removed: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the folder.
    ///
    /// # Errors
    ///
    /// When something defies that.
    pub fn remove(mut self) -> io::Result<()> {
        self.is_removed = true;
        remove_tree(&self.path)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if !self.is_removed {
            // There is nobody left to tell.
            let _ = remove_tree(&self.path);
        }
    }
}

/// Removes a folder, or what is in its place, and all it holds: links, but never what they point to.
///
/// Folders without permissions are given some. Depth costs neither stack nor open files, because folders
/// further down are first moved to the top. What is written meanwhile is removed as well, for a second.
///
/// # Errors
///
/// When something defies all that.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let top = match open_folder(CWD, path) {
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR | Errno::LOOP) => return Ok(unlinkat(CWD, path, AtFlags::empty())?),
        top => top?,
    };
    // Names that those below cannot have taken on purpose.
    let prefix = format!("{:016x}-", fastrand::u64(..));
    let mut unused_names = (0_u64..).map(|number| format!("{prefix}{number}"));
    let mut deadline = None;
    while !remove_if_empty(CWD, path)? {
        let names = names(&top)?;
        let is_ours = |name: &CString| name.as_bytes().starts_with(prefix.as_bytes());
        if deadline.is_some_and(|deadline| Instant::now() > deadline) && !names.iter().all(is_ours) {
            let reason = "a process that got away goes on writing there";
            return Err(io::Error::other(format!("{}: {reason}", path.display())));
        }
        for name in &names {
            match remove_entry(&top, name, &mut unused_names) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        deadline = deadline.or_else(|| Some(Instant::now() + PATIENCE));
    }
    Ok(())
}

/// Removes an entry of the folder `top`; a folder's own folders are moved to `top` instead.
fn remove_entry(
    top: &OwnedFd,
    name: &CStr,
    unused_names: &mut impl Iterator<Item = String>,
) -> Result<(), Errno> {
    if !is_folder(top, name)? {
        return unlinkat(top, name, AtFlags::empty());
    }
    let folder = open_folder(top.as_fd(), name)?;
    for inner in names(&folder)? {
        if is_folder(&folder, &inner)? {
            // A folder without permissions cannot be moved.
            open_folder(folder.as_fd(), &*inner)?;
            if let Some(unused) = unused_names.next() {
                renameat(&folder, &*inner, top, unused)?;
            }
        } else {
            unlinkat(&folder, &*inner, AtFlags::empty())?;
        }
    }
    remove_if_empty(top.as_fd(), name).map(drop)
}

/// Returns whether the folder is gone; one that holds something stays.
fn remove_if_empty(parent: BorrowedFd<'_>, name: impl rustix::path::Arg) -> Result<bool, Errno> {
    match unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY) => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn names(folder: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let entries = Dir::read_from(folder)?;
    entries
        .map(|entry| entry.map(|entry| entry.file_name().to_owned()))
        .filter(|name| !matches!(name.as_deref().map(CStr::to_bytes), Ok(b"." | b"..")))
        .collect()
}

fn is_folder(parent: &OwnedFd, name: &CStr) -> Result<bool, Errno> {
    let status = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(status.st_mode) == FileType::Directory)
}

/// Opens a folder for listing, with all permissions for the owner.
fn open_folder(parent: BorrowedFd<'_>, name: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let as_folder = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let handle = openat(parent, name, OFlags::PATH | OFlags::NOFOLLOW | as_folder, Mode::empty())?;
    // This kind of handle needs no permission, and by its name in /proc nothing else can be meant.
    let own_name = format!("/proc/self/fd/{}", handle.as_raw_fd());
    rustix::fs::chmod(&*own_name, Mode::RWXU)?;
    openat(CWD, &*own_name, OFlags::RDONLY | as_folder, Mode::empty())
}
