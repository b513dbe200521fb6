//! The edge to the Actions runner and the terminal: environment, files, logs. Only this folder prints.

pub mod addresses;
pub mod commands;
pub mod environment;
pub mod files;
pub mod log;

use crate::failure::{Failure, Kind, Result};

/// 128 random bits as text: what hostile text cannot guess, it cannot forge.
fn random_word() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Kind::Machine, format!("this machine gives no random numbers: {error}"))
    })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
