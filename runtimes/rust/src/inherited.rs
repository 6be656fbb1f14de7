//! What a parent may have left to this process, and no child of it is to inherit.

#![expect(unsafe_code, reason = "signals and descriptors by their number")]

use std::{io, mem, ptr};

const FIRST_BEYOND_STDERR: libc::c_uint = 3;

/// Gives every signal its default, blocks none, and keeps all descriptors beside stdin, stdout and stderr
/// from children.
///
/// SIGPIPE stays ignored, as the standard library wants it, which gives children its default.
pub fn reset() -> io::Result<()> {
    for signal in (1..=libc::SIGRTMAX()).filter(|&signal| signal != libc::SIGPIPE) {
        // SAFETY: no handler is replaced by another, and those that cannot be set are refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: the set is initialised before it is used, and the old one is not asked for.
    unsafe {
        let mut none: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
    }
    let only_marked = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: no descriptor is closed before this process becomes another.
    let marked =
        unsafe { libc::syscall(libc::SYS_close_range, FIRST_BEYOND_STDERR, libc::c_uint::MAX, only_marked) };
    if marked == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
