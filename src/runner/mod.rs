//! The edge to the Actions runner and the terminal: environment, files, logs. Only this folder prints.

pub mod commands;
pub mod environment;
pub mod files;
pub mod log;
