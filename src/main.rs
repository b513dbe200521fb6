//! Wire, run, exit code.

fn main() {}
