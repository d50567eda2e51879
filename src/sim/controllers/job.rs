//! Jobs: pods until enough of them ended well, or too many did not. Owns completions and the back-off limit.

use std::sync::Arc;

use serde_json::{Value, json};

use super::pods::{Phase, PodFacts};
use super::{Controllers, template};
use crate::sim::api::clock::stamp;
use crate::sim::api::{User, gvr};
use crate::sim::events::Note;
use crate::sim::objects::{is_deleting, is_true, name, namespace, uid};

const COMPONENT: &str = "job-controller";

struct Tally {
    active: Vec<PodFacts>,
    succeeded: i64,
    failed: i64,
}

impl Controllers {
    pub(super) fn sync_job(&mut self, space: &str, own: &str) {
        let Some(job) = self.find(gvr::JOBS, space, own) else { return };
        if is_deleting(&job) || is_true(&job, "Complete") || is_true(&job, "Failed") {
            return;
        }
        let tally = self.tally(&job);
        let wanted = job["spec"]["completions"].as_i64().unwrap_or(1);
        let verdict = if tally.succeeded >= wanted {
            Some(("Complete", "Completed", "Job completed"))
        } else if tally.failed > job["spec"]["backoffLimit"].as_i64().unwrap_or(6) {
            Some(("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"))
        } else {
            None
        };
        match verdict {
            None => self.keep_job_running(&job, &tally, wanted),
            Some(_) => {
                for pod in &tally.active {
                    // The pod may have ended by itself.
                    let _ = self.delete(&User::system(COMPONENT), gvr::PODS, &pod.object);
                }
            }
        }
        self.write_job_status(&job, verdict);
    }

    fn tally(&self, job: &Value) -> Tally {
        let mut tally = Tally { active: Vec::new(), succeeded: 0, failed: 0 };
        for pod in self.pods.owned_by(uid(job)) {
            match pod.phase {
                Phase::Succeeded => tally.succeeded += 1,
                Phase::Failed => tally.failed += 1,
                Phase::Pending | Phase::Running if !pod.deleting => tally.active.push(pod.clone()),
                Phase::Pending | Phase::Running => {}
            }
        }
        tally
    }

    fn keep_job_running(&mut self, job: &Arc<Value>, tally: &Tally, wanted: i64) {
        let active = i64::try_from(tally.active.len()).unwrap_or(i64::MAX);
        if job["spec"]["suspend"] == true {
            for pod in &tally.active {
                let _ = self.delete(&User::system(COMPONENT), gvr::PODS, &pod.object);
            }
            return;
        }
        let parallel = job["spec"]["parallelism"].as_i64().unwrap_or(1).min(wanted - tally.succeeded);
        for _ in active..parallel {
            let mut pod = template::pod(&job["spec"]["template"], job);
            pod["metadata"]["generateName"] = json!(format!("{}-", name(job)));
            pod["metadata"]["labels"]["job-name"] = json!(name(job));
            pod["metadata"]["labels"]["controller-uid"] = json!(uid(job));
            match self.create(&User::system(COMPONENT), gvr::PODS, namespace(job), pod) {
                Ok(made) => {
                    let message = format!("Created pod: {}", name(&made));
                    self.record(COMPONENT, &Note::new(job, "Normal", "SuccessfulCreate", message));
                }
                Err(refused) => {
                    self.failed_to_create(COMPONENT, job, &refused.message);
                    break;
                }
            }
        }
    }

    fn write_job_status(
        &mut self,
        job: &Arc<Value>,
        verdict: Option<(&'static str, &'static str, &'static str)>,
    ) {
        let now = stamp(self.now());
        let tally = self.tally(job);
        let mut status = json!({"startTime": job["status"]["startTime"].as_str().unwrap_or(&now)});
        let active = i64::try_from(tally.active.len()).unwrap_or(i64::MAX);
        for (field, number) in [("active", active), ("succeeded", tally.succeeded), ("failed", tally.failed)]
        {
            if number > 0 {
                status[field] = json!(number);
            }
        }
        if let Some((kind, reason, message)) = verdict {
            status["conditions"] = json!([{
                "type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now,
                "reason": reason, "message": message,
            }]);
            if kind == "Complete" {
                status["completionTime"] = json!(now);
            }
            let severity = if kind == "Failed" { "Warning" } else { "Normal" };
            self.record(COMPONENT, &Note::new(job, severity, reason, message.to_owned()));
        }
        if job["status"] != status {
            // A job that is gone needs no status.
            let _ = self.modify(&User::system(COMPONENT), gvr::JOBS, Some("status"), job, |job| {
                job["status"] = status.clone();
            });
        }
    }
}
