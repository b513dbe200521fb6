//! `promote` moves a tested release from staging to prod in a GitOps repository, as one pull request.
//!
//! A promotion is a plan that can be read before it happens:
//! observe → decide → check → propose → apply → report.
//!
//! | module | question | may import |
//! |---|---|---|
//! | [`failure`], [`names`], [`secret`] | what went wrong? what is a legal name? what is never shown? | nothing of ours |
//! | [`plan`] | what was decided? (`promotion/v1`) | names |
//! | [`settings`] | what was asked? | names |
//! | [`overlay`] | what changes? | plan |
//! | [`http`] | how is a server reached? one TLS stack, one proxy rule | failure |
//! | [`git`] | edge: what does git have? | names, secret, overlay (its file type), http |

pub mod failure;
pub mod git;
pub mod http;
pub mod names;
pub mod overlay;
pub mod plan;
pub mod secret;
pub mod settings;
