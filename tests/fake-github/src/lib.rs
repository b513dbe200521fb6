//! A stateful GitHub over a real bare git repository, for tests and the quickstart.
