//! What a parent may have left to this process, and no child of it is to inherit.

#![expect(unsafe_code, reason = "signals and descriptors by their number")]

use std::{io, mem, ptr};

const FIRST_BEYOND_STDERR: libc::c_uint = 3;

/// Gives every signal its default, blocks none, and keeps all descriptors beside stdin, stdout and stderr
/// from children.
///
/// SIGPIPE stays ignored, as the standard library wants it, which gives children its default. A file that may not
/// grow is to be an error of whoever writes it and not the end of the process: SIGXFSZ is handled by doing nothing,
/// because children inherit what is ignored and no handler.
pub fn reset() -> io::Result<()> {
    for signal in (1..=libc::SIGRTMAX()).filter(|&signal| signal != libc::SIGPIPE) {
        let action = if signal == libc::SIGXFSZ { pass_over as *const () as usize } else { libc::SIG_DFL };
        // SAFETY: the handler does nothing, which is safe at any time, and what cannot be set is refused.
        unsafe { libc::signal(signal, action) };
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

extern "C" fn pass_over(_signal: libc::c_int) {}
