//! Child processes in groups of their own, that are always killed and reaped.
//!
//! The standard library makes them by `posix_spawn`, which copies nothing of this process and so does not slow
//! down as it grows. A pidfd tells the end of exactly one child; tokio's own children are reaped before their
//! group could be killed, and then its number may be another's.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{env, io};

use rustix::fs::{Access, access};
use rustix::io::{Errno, ioctl_fionread, read};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;

const READ_BYTES: usize = 16 * 1024;

/// How a process ended, by an exit code or by a signal (the other is `None`), and what it wrote last.
#[derive(Debug)]
pub struct Finished {
    /// The exit code.
    pub exit_code: Option<i32>,
    /// The number of the signal.
    pub signal: Option<i32>,
    /// Whether it was stopped at its timeout.
    pub timed_out: bool,
    /// The end of its stdout.
    pub stdout: Vec<u8>,
    /// The end of its stderr.
    pub stderr: Vec<u8>,
}

/// The path of a program, sought on the search path if its name has no slash.
///
/// A relative path is returned as it is: whether it leads anywhere depends on the folder it is started in.
pub fn find_program(name: &str, search_path: &str) -> Option<PathBuf> {
    if name.starts_with('/') {
        return is_program(Path::new(name)).then(|| name.into());
    }
    if name.contains('/') {
        return Some(name.into());
    }
    let candidates = env::split_paths(search_path).filter(|folder| folder.is_absolute());
    candidates.map(|folder| folder.join(name)).find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// A running process, the leader of its own group, which is dead and reaped when this is dropped.
pub struct Child {
    group: Group,
    pidfd: AsyncFd<OwnedFd>,
    stdout: Output,
    stderr: Output,
}

impl Child {
    /// Starts `program` in `folder` with exactly the environment `env`, keeping the ends of its outputs.
    pub fn start(
        program: &Path,
        argv: &[String],
        env: &[(String, String)],
        folder: &Path,
        output_limit_bytes: usize,
    ) -> io::Result<Self> {
        let leader = Command::new(program)
            .arg0(&argv[0])
            .args(&argv[1..])
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // From here on it does not outlive a failure.
        let mut group = Group { leader, is_reaped: false };
        let pidfd = pidfd_open(group.pid(), PidfdFlags::empty())?;
        let output = |pipe: Option<OwnedFd>| Output::new(pipe.ok_or(Errno::BADF)?, output_limit_bytes);
        Ok(Self {
            pidfd: watched(pidfd)?,
            stdout: output(group.leader.stdout.take().map(OwnedFd::from))?,
            stderr: output(group.leader.stderr.take().map(OwnedFd::from))?,
            group,
        })
    }

    /// Waits until the process has ended; its group is killed after `limit`.
    pub async fn finish(mut self, limit: Duration) -> io::Result<Finished> {
        let timed_out = match timeout(limit, self.end()).await {
            Ok(ended) => {
                ended?;
                false
            }
            Err(_) => true,
        };
        let status = self.group.kill_and_reap()?;
        self.stdout.read_what_is_held()?;
        self.stderr.read_what_is_held()?;
        Ok(Finished {
            exit_code: status.code(),
            signal: status.signal(),
            timed_out,
            stdout: self.stdout.take_tail(),
            stderr: self.stderr.take_tail(),
        })
    }

    /// Reads the outputs until the leader has exited.
    async fn end(&mut self) -> io::Result<()> {
        loop {
            tokio::select! {
                ended = self.pidfd.readable() => return ended.map(drop),
                () = self.stdout.read(), if self.stdout.is_open => {}
                () = self.stderr.read(), if self.stderr.is_open => {}
            }
        }
    }
}

/// A process and those that it has started, unless they have left its group.
struct Group {
    leader: process::Child,
    is_reaped: bool,
}

impl Group {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.leader)
    }

    /// Kills the group, while its number still belongs to it, and then reaps the leader.
    fn kill_and_reap(&mut self) -> io::Result<ExitStatus> {
        // What is gone already needs no killing.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        // The leader may have moved to another group.
        let _ = self.leader.kill();
        self.is_reaped = true;
        self.leader.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_reaped {
            // There is nobody left to tell.
            let _ = self.kill_and_reap();
        }
    }
}

#[expect(unsafe_code, reason = "tokio asks for a promise")]
fn watched(pidfd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is the same open descriptor as long as it lives.
    Ok(unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }?)
}

/// A pipe of which the last bytes are kept.
struct Output {
    pipe: Receiver,
    is_open: bool,
    kept: Vec<u8>,
    limit_bytes: usize,
}

impl Output {
    fn new(pipe: OwnedFd, limit_bytes: usize) -> io::Result<Self> {
        Ok(Self { pipe: Receiver::from_owned_fd(pipe)?, is_open: true, kept: Vec::new(), limit_bytes })
    }

    /// Waits until there is something to read, or the end, and reads it.
    async fn read(&mut self) {
        self.is_open = self.pipe.readable().await.is_ok() && self.read_some();
    }

    /// Returns whether there may be more to read at some time. Its buffer would be an agent's if it waited.
    fn read_some(&mut self) -> bool {
        let mut piece = [0; READ_BYTES];
        match self.pipe.try_read(&mut piece) {
            Ok(size) => {
                self.keep(&piece[..size]);
                size > 0
            }
            Err(failure) => failure.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Reads what the pipe holds now and no more: a descendant that got away may write for ever.
    fn read_what_is_held(&mut self) -> io::Result<()> {
        let mut piece = [0; READ_BYTES];
        let mut held = ioctl_fionread(self.pipe.as_fd())?;
        while held > 0 {
            let size = read(self.pipe.as_fd(), &mut piece)?;
            self.keep(&piece[..size]);
            held = if size == 0 { 0 } else { held.saturating_sub(size as u64) };
        }
        Ok(())
    }

    fn keep(&mut self, piece: &[u8]) {
        self.kept.extend_from_slice(piece);
        // Not at every piece, because what is kept moves to the front.
        if self.kept.len() > self.limit_bytes.saturating_add(self.limit_bytes.max(READ_BYTES)) {
            self.drop_beginning();
        }
    }

    fn drop_beginning(&mut self) {
        self.kept.drain(..self.kept.len().saturating_sub(self.limit_bytes));
    }

    fn take_tail(&mut self) -> Vec<u8> {
        self.drop_beginning();
        std::mem::take(&mut self.kept)
    }
}
