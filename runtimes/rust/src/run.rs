//! One run: what the run file names is put together, and every way to end has its exit status.
//!
//! Source: `runtimes/CONTRACT.md`, "Exit".

use std::cell::RefCell;
use std::error::Error;
use std::path::Path;
use std::rc::Rc;
use std::{env, io, panic, process};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use crate::agent::{Agent, Stop};
use crate::chat::Chat;
use crate::clock::{now_ns, until_ns};
use crate::conversation::{Prompts, Script};
use crate::events::{Event, EventFile};
use crate::fields::InvalidInput;
use crate::process::find_program;
use crate::run_file::{CONTRACT_VERSION, RunFile};
use crate::task::{Tasks, count_tasks};
use crate::verifier::{Verifier, search_path};

/// The event loop, all of which is on the thread that enters it.
pub fn event_loop() -> io::Result<LocalRuntime> {
    // Host names are looked up in other threads, which need not be many.
    Builder::new_current_thread().enable_all().max_blocking_threads(4).build_local(LocalOptions::default())
}

/// Does the run that a run file describes; returns the exit status.
pub fn perform(run_file: &Path) -> Result<u8, Box<dyn Error>> {
    let run = RunFile::load(run_file)?;
    let prompts = Prompts::load(&run.prompts_file)?;
    let tasks = count_tasks(&run.tasks_file)?;
    // More agents than tasks would have nothing to do.
    let agents = usize::try_from(run.agents).unwrap_or(usize::MAX).min(tasks);
    let program = &run.verify.argv[0];
    if find_program(program, search_path(&run.verify.env)).is_none() {
        let advice = "name a program by its path or on the PATH of verify.env";
        return Err(InvalidInput(format!("verify.argv: {program:?} cannot be run; {advice}")).into());
    }
    let api_key = match env::var("LLM_API_KEY") {
        Err(env::VarError::NotPresent) => String::new(),
        // What is not Unicode no header may hold, and is refused as that.
        key => key.unwrap_or_else(|_| "\0".to_owned()),
    };
    let chat = Chat::new(&run.address, &api_key, run.timeouts, run.transport)?;
    let tasks = Tasks::open(&run.tasks_file)?;
    allow_many_open_files();
    let event_loop = event_loop()?;
    let ended = event_loop.block_on(async {
        // Once the event file is there the run ends in order.
        let signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let events = EventFile::create(&run.events).map_err(|failure| {
            let path = run.events.display();
            InvalidInput(format!(
                "events: {path} cannot be created ({failure}); name a file that is not there"
            ))
        })?;
        let agent = Agent {
            chat,
            script: Rc::new(Script::new(prompts, &run.model, &run.request)),
            verifier: Verifier::new(run.verify),
            workspaces: run.workspaces,
            events,
            max_retries: run.max_retries,
            stop: Stop::default(),
        };
        work(agent, tasks, agents, signals).await
    });
    // Whatever the agents have under way goes with them, but a name that is still being looked up holds nothing.
    event_loop.shutdown_background();
    ended
}

/// Lets `agents` agents work on the tasks until all have their outcome or a signal arrives.
async fn work(
    agent: Agent,
    tasks: Tasks,
    agents: usize,
    (mut interrupt, mut terminate): (Signal, Signal),
) -> Result<u8, Box<dyn Error>> {
    let agent = Rc::new(agent);
    let tasks = Rc::new(RefCell::new(tasks));
    let run_start = now_ns();
    let start = Event::RunStart { t: run_start, contract_version: CONTRACT_VERSION, pid: process::id() };
    agent.events.emit(&start)?;
    let mut at_work = JoinSet::new();
    for _ in 0..agents {
        at_work.spawn_local(take_tasks(agent.clone(), tasks.clone(), run_start));
    }
    loop {
        select! {
            ended = at_work.join_next() => match ended {
                None => break,
                Some(Ok(ended)) => ended?,
                // It has been told of where it was.
                Some(Err(panicked)) => panic::resume_unwind(panicked.into_panic()),
            },
            _ = interrupt.recv() => agent.stop.request(SignalKind::interrupt().as_raw_value()),
            _ = terminate.recv() => agent.stop.request(SignalKind::terminate().as_raw_value()),
        }
    }
    for task in &mut *tasks.borrow_mut() {
        agent.leave(&task?)?;
    }
    agent.events.emit(&Event::RunEnd { t: now_ns() })?;
    Ok(agent.stop.signal().map_or(0, |signal| 128 + signal as u8))
}

/// One agent, which takes the next task when it is done with one, and begins it when its start is due.
async fn take_tasks(
    agent: Rc<Agent>,
    tasks: Rc<RefCell<Tasks>>,
    run_start: u64,
) -> Result<(), Box<dyn Error>> {
    while agent.stop.signal().is_none() {
        let Some(task) = tasks.borrow_mut().next() else {
            break;
        };
        let task = task?;
        select! {
            biased;
            () = agent.stop.requested() => agent.leave(&task)?,
            () = until_ns(run_start + task.start_after_ns) => agent.solve(&task).await?,
        }
    }
    Ok(())
}

/// An agent needs a socket, or two pipes and a pidfd, and the usual soft limit is 1,024.
fn allow_many_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // If it stays, connections or verifiers that are one too many are errors with a reason.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
