//! An agent runtime: ask a model for a program, run its tests, show it what failed, and ask again.
//!
//! It obeys `runtimes/CONTRACT.md`. Everything runs on one thread; an agent is one task of its event loop.

pub mod agent;
pub mod answer;
pub mod canonical;
pub mod chat;
pub mod clock;
pub mod completion;
pub mod connection;
pub mod conversation;
pub mod digest;
pub mod endpoint;
pub mod events;
pub mod extraction;
pub mod feedback;
pub mod fence;
pub mod fields;
pub mod http_date;
pub mod inherited;
pub mod members;
pub mod process;
pub mod reason;
pub mod run;
pub mod run_file;
pub mod sse;
pub mod task;
pub mod text;
pub mod tools;
pub mod tools_command;
pub mod transport;
pub mod verdict;
pub mod verifier;
pub mod workspace;
