//! The image, started as the Actions runner starts it, against the fake GitHub.
//!
//! Every run is held to what a step may leave: see [`scene::Scene::ends`]. The image is named by `PROMOTE_IMAGE`; the
//! engine is `CONTAINER_ENGINE`, a docker that answers, or podman.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests may"
)]

mod promotion;
#[path = "../../examples/quickstart/sample.rs"]
mod sample;
mod scene;
mod trouble;
mod what_is_in_it;
