//! Children, folders and tools, on the real machine.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use agentloop::inherited;
use agentloop::process::{Child, Finished};
use agentloop::run::event_loop;
use agentloop::tools::{SearchMatch, ToolDispatcher};
use agentloop::workspace::Workspace;

fn workspace() -> Workspace {
    Workspace::new(&std::env::temp_dir()).unwrap()
}

/// What becomes of a command line that has 20 s, or as long as `limit` says.
fn shell(command: &str, output_limit_bytes: usize, limit: Option<Duration>) -> Finished {
    inherited::reset().unwrap();
    let argv = ["sh", "-c", command].map(str::to_owned);
    let env = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    let folder = workspace();
    event_loop().unwrap().block_on(async {
        let child = Child::start(Path::new("/bin/sh"), &argv, &env, folder.path(), output_limit_bytes);
        child.unwrap().finish(limit.unwrap_or(Duration::from_secs(20))).await.unwrap()
    })
}

#[test]
fn a_child_ends_by_its_code_or_by_a_signal() {
    let finished = shell("echo out; echo err >&2; exit 3", 100, None);
    assert_eq!((finished.exit_code, finished.signal, finished.timed_out), (Some(3), None, false));
    assert_eq!((&*finished.stdout, &*finished.stderr), (&b"out\n"[..], &b"err\n"[..]));
    let finished = shell("kill -9 $$", 100, None);
    assert_eq!((finished.exit_code, finished.signal, finished.timed_out), (None, Some(9), false));
}

#[test]
fn the_end_of_a_long_output_is_kept() {
    let finished = shell("seq 1 200000", 14, None);
    assert_eq!(finished.stdout, b"199999\n200000\n");
}

#[test]
fn a_child_has_no_other_environment_and_no_other_descriptors() {
    let finished = shell("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL=; ls -m /proc/self/fd", 100, None);
    // The fourth is the listing's own.
    assert_eq!(String::from_utf8_lossy(&finished.stdout), "PATH=/usr/bin:/bin\n0, 1, 2, 3\n");
}

#[test]
fn a_group_is_killed_at_its_timeout_and_behind_its_leader() {
    let dies = |finished: &Finished| {
        let pid: i32 = String::from_utf8_lossy(&finished.stdout).trim().parse().unwrap();
        // It was killed, and is gone as soon as the system has come to it and its new parent has reaped it.
        let is_alive =
            || fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        let given_up = Instant::now() + Duration::from_secs(20);
        while is_alive() && Instant::now() < given_up {
            thread::yield_now();
        }
        !is_alive()
    };
    let behind = shell("sleep 60 & echo $!", 100, None);
    assert_eq!(behind.exit_code, Some(0));
    assert!(dies(&behind));
    let stopped = shell("sleep 60 & echo $!; wait", 100, Some(Duration::from_millis(500)));
    assert_eq!((stopped.signal, stopped.timed_out), (Some(9), true));
    assert!(dies(&stopped));
}

#[test]
fn a_workspace_goes_with_all_that_is_in_it_and_nothing_else() {
    let outside = workspace();
    fs::write(outside.path().join("kept"), "").unwrap();
    let inside = workspace();
    let path = inside.path().to_owned();
    let deep: PathBuf = (0..400).map(|_| "folder").collect();
    fs::create_dir_all(path.join(&deep)).unwrap();
    symlink(outside.path(), path.join("link")).unwrap();
    symlink(outside.path().join("kept"), path.join("folder/link")).unwrap();
    inside.remove().unwrap();
    assert!(!path.exists());
    assert!(outside.path().join("kept").exists());
}

#[test]
fn what_is_in_the_place_of_a_workspace_goes() {
    let (one, other) = (workspace(), workspace());
    fs::remove_dir(one.path()).unwrap();
    symlink(other.path(), one.path()).unwrap();
    let place = one.path().to_owned();
    drop(one);
    assert!(fs::symlink_metadata(place).is_err());
    assert!(other.path().exists());
}

#[test]
fn tools_write_read_list_and_search() {
    let folder = workspace();
    let tools = ToolDispatcher::new(folder.path());
    tools.write_file("a/b.txt", "one\r\ntwo\nthree").unwrap();
    tools.write_file("a.txt", "two").unwrap();
    assert_eq!(tools.read_file("a//./b.txt").unwrap(), "one\r\ntwo\nthree");
    assert_eq!(tools.list_dir(".").unwrap(), ["a.txt", "a/"]);
    let expected = |path: &str, line, text: &str| SearchMatch { path: path.into(), line, text: text.into() };
    assert_eq!(
        tools.search("two", "").unwrap(),
        [expected("a.txt", 1, "two"), expected("a/b.txt", 2, "two")]
    );
    assert_eq!(tools.search("one", "a").unwrap(), [expected("a/b.txt", 1, "one")]);
    // A CR that no LF follows is part of its line.
    tools.write_file("a.txt", "four\r\r\nfour\r").unwrap();
    assert_eq!(
        tools.search("four", ".").unwrap(),
        [expected("a.txt", 1, "four\r"), expected("a.txt", 2, "four\r")]
    );
}

#[test]
fn names_are_in_the_order_of_what_is_shown() {
    let folder = workspace();
    // U+FFFD, which is shown in place of what is not UTF-8, is less than U+1F600, and its bytes here are more.
    for name in [&b"\xff"[..], b"\x80x", "\u{1f600}".as_bytes(), b"z"] {
        for inside in [folder.path().to_owned(), folder.path().join(OsStr::from_bytes(b"in\xff"))] {
            fs::create_dir_all(&inside).unwrap();
            fs::write(inside.join(OsStr::from_bytes(name)), "needle").unwrap();
        }
    }
    let names = ["z", "\u{fffd}", "\u{fffd}x", "\u{1f600}"];
    let tools = ToolDispatcher::new(folder.path());
    assert_eq!(tools.list_dir("").unwrap(), [&["in\u{fffd}/"], &names[..]].concat());
    let found: Vec<_> = tools.search("needle", "").unwrap().into_iter().map(|found| found.path).collect();
    let expected: Vec<_> =
        ["in\u{fffd}/", ""].iter().flat_map(|folder| names.map(|name| format!("{folder}{name}"))).collect();
    assert_eq!(found, expected);
}

#[test]
fn tools_stay_in_the_workspace() {
    let (folder, outside) = (workspace(), workspace());
    let tools = ToolDispatcher::new(folder.path());
    symlink(outside.path(), folder.path().join("link")).unwrap();
    symlink("/etc/passwd", folder.path().join("passwd")).unwrap();
    let refusal = |path: &str| {
        let refusals = [tools.write_file(path, "x").unwrap_err(), tools.read_file(path).unwrap_err()]
            .map(|e| e.to_string());
        assert_eq!(refusals[0], refusals[1]);
        refusals[0].clone()
    };
    for path in ["/etc/passwd", "../x", "a/../../x", "a\0b"] {
        assert_eq!(refusal(path), format!("{path:?}: is not a path inside the workspace"));
    }
    for path in ["link/x", "passwd"] {
        let expected = format!("{path}: goes through a symbolic link or something that is no folder");
        assert_eq!(refusal(path), expected);
    }
    assert_eq!(refusal("."), "\".\": is the workspace and no file in it");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}
