//! `promote` moves a tested release from staging to prod in a GitOps repository, as one pull request.
//!
//! A promotion is a plan that can be read before it happens:
//! observe → decide → check → propose → apply → report.
//!
//! | module | question | may import |
//! |---|---|---|
//! | [`failure`], [`names`] | what went wrong? what is a legal name? | nothing of ours |
//! | [`plan`] | what was decided? (`promotion/v1`) | names |
//! | [`settings`] | what was asked? | names |
//! | [`overlay`] | what changes? | plan |
//! | [`changelog`] | why? | plan; Markdown and links of proposal |
//! | [`policy`] | may it? | plan, overlay, settings; Markdown of proposal |
//! | [`proposal`] | what do reviewers see? | plan, changelog, overlay, settings |

pub mod changelog;
pub mod failure;
pub mod names;
pub mod overlay;
pub mod plan;
pub mod policy;
pub mod proposal;
pub mod settings;
