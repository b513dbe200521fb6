//! Evidence that a case of `tests/selection/` cannot tell: deployments by runs on other commits.

use fake_github::{Deployment, DeploymentStatus, WorkflowRun};

use crate::scene::{PROMOTE, Run, STAGING, Scene, Start};

/// v1.8.0 with a deployment to staging, made by the run of this number.
fn deployed(scene: &Scene, run: u64) -> Run {
    let commit = scene.repo.resolve("v1.8.0").unwrap();
    let page = format!("{}/actions/runs/{run}/job/7", scene.repo.url());
    let status = DeploymentStatus::default().state("success").log_url(page);
    scene.repo.add_deployment(Deployment::new("staging", &commit).status(status)).unwrap();
    let payload = scene.repo.event_schedule("0 6 * * *").unwrap();
    let inputs = [("command", "plan"), ("evidence", "deployment: staging")];
    scene.runs(&Start { event: "schedule", payload: Some(payload), inputs: &inputs, ..Start::default() })
}

#[test]
fn a_deployment_is_as_good_as_the_run_that_made_it_wherever_that_ran() {
    for (path, event, why) in [
        (STAGING, "push", None),
        (STAGING, "workflow_run", None),
        (STAGING, "pull_request_target", Some("of the run that made it, it ran for a pull request")),
        (PROMOTE, "push", Some("of the run that made it, it is the promoting workflow")),
    ] {
        let scene = Scene::new();
        scene.release("v1.8.0", "2026-09-15", Some("success"));
        let elsewhere = scene.feature("later");
        let made = WorkflowRun::new(path, &elsewhere).on("main").event(event);
        let run = deployed(&scene, scene.repo.add_workflow_run(made).unwrap());
        match why {
            None => assert_eq!(run.output("tag"), "v1.8.0", "{path} {event}: {}", run.said()),
            Some(why) => {
                let reason = run.plan["passed_over"][0]["reason"].as_str().unwrap_or_default();
                assert!(reason.contains(why), "{path} {event}: {reason}");
            }
        }
    }
    // One that is gone says nothing against it.
    let scene = Scene::new();
    scene.release("v1.8.0", "2026-09-15", Some("success"));
    let run = deployed(&scene, 77);
    assert_eq!(run.output("tag"), "v1.8.0", "{}", run.said());
}
