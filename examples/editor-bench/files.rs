//! The files that are edited: the same every time, and written as people write them.

use std::fmt::Write as _;

/// A `values.yaml` of many services, at least so many bytes long: comments, lists, quotes, flow, blank lines.
pub fn values(bytes: usize) -> String {
    let mut text = String::from("# values of all services\n\n");
    let mut number = 0;
    while text.len() < bytes {
        let _ = write!(
            text,
            "service-{number:05}:\n  # owned by team {}\n  replicas: {}\n  image:\n    repository: ghcr.io/acme/service-{number:05}\n    \
             tag: \"{}\"   # moved by CI\n    pullPolicy: IfNotPresent\n  env:\n    - name: LOG_LEVEL\n      value: 'info'\n    \
             - {{name: REGION, value: eu-west-{}}}\n\n",
            number % 17,
            number % 7 + 1,
            tag_of(number),
            number % 3,
        );
        number += 1;
    }
    text
}

/// The tag of a service of [`values`] before it is edited.
pub fn tag_of(service: usize) -> String {
    format!("1.{}.{service}", service % 50)
}

/// An app's own small `values.yaml`.
pub fn small(app: usize) -> String {
    format!(
        "# app {app}\nreplicas: 3\n\nimage:\n  repository: ghcr.io/acme/app-{app}\n  tag: \"{}\"   # moved by CI\n\n\
         model:\n  name: scoring\n  version: '2026-01-02'\nenv:\n  - {{name: REGION, value: eu-west-1}}\n",
        tag_of(app)
    )
}
