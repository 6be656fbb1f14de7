//! A start that fails when the process is there already. The only test of its program, which has no other children.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use agentloop::process::Child;
use rustix::io::Errno;
use rustix::process::{WaitOptions, wait};

#[test]
fn a_start_that_fails_leaves_no_process() {
    let argv = ["sleep", "1000"].map(str::to_owned);
    // Without an event loop nothing can be watched.
    let start = || Child::start(Path::new("/bin/sleep"), &argv, &[], Path::new("/"), 100).map(drop);
    assert!(catch_unwind(AssertUnwindSafe(start)).is_err());
    assert_eq!(wait(WaitOptions::NOHANG).unwrap_err(), Errno::CHILD);
}
