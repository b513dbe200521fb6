//! `promote` moves a tested release from staging to prod in a GitOps repository, as one pull request.
//!
//! A promotion is a plan that can be read before it happens:
//! observe → decide → check → propose → apply → report.
//!
//! | module | question | may import |
//! |---|---|---|
//! | [`failure`], [`names`], [`secret`] | what went wrong? what is a legal name? what is never shown? | nothing of ours |
//! | [`plan`] | what was decided? (`promotion/v1`) | names |
//! | [`settings`] | what was asked? | plan, overlay |
//! | [`release`] | which release? | plan, settings, overlay |
//! | [`overlay`] | what changes? | plan |
//! | [`changelog`] | why? | plan |
//! | [`decide`] | what follows from what was observed? | all of the above |
//! | [`policy`] | may it? | plan, settings, overlay, release |
//! | [`proposal`] | what do reviewers see? what must change on GitHub? | plan, settings, changelog |
//! | [`http`] | how is a server reached? one TLS stack, one proxy rule | failure, secret |
//! | [`git`] | edge: what does git have? | names, secret, overlay (its file type), http |
//! | [`github`] | edge: what does the API say, and what is written to it? | names, secret, settings, release, http |
//! | [`runner`] | edge: environment, files, logs | failure, names, secret |
//! | [`promote`], [`set`] | the flow, and the small one of `promote set`: the only ones that call both halves | everything |
//!
//! Everything but the edges and the flow is pure. `tests/house.rs` checks this table.

pub mod changelog;
pub mod decide;
pub mod failure;
pub mod git;
pub mod github;
pub mod http;
pub mod names;
pub mod overlay;
pub mod plan;
pub mod policy;
pub mod promote;
pub mod proposal;
pub mod release;
pub mod runner;
pub mod secret;
pub mod set;
pub mod settings;
