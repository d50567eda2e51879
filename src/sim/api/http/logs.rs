//! `pods/NAME/log`: which container, which of its starts, and the cutting of what it wrote.

use std::time::Duration;

use axum::body::{Body, Bytes};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::logs::LogLine;
use super::super::meta::{self, text};
use super::super::status::Status;
use super::Asked;
use super::answer::{self, Answer};
use super::query::Query;

/// How often a follower looks whether its container still runs.
const LOOK: Duration = Duration::from_millis(250);

pub(super) fn serve(asked: Asked) -> Answer {
    let state = asked.api.inner.state.lock();
    let pod = state.find(&asked.res, asked.target.ns(), &asked.target.name)?;
    drop(state);
    let container = container(&pod, asked.query.get("container"))?;
    let instance = instance(&pod, &container, asked.query.is("previous"))?;
    let (ns, name) = meta::key(&pod);
    let (lines, next) = asked.api.logs().read(&ns, &name, &container, instance, 0);
    let now = asked.api.clock().now();
    let first = cut(&lines, &asked.query, now);
    if !asked.query.is("follow") {
        return Ok(answer::bytes(200, "text/plain", first));
    }
    let follow = Follow { asked, ns, name, container, instance, next };
    let head = futures::stream::once(async move { Ok::<_, std::io::Error>(Bytes::from(first)) });
    let rest = futures::stream::unfold(follow, |mut follow| async move {
        follow.more().await.map(|text| (Ok(Bytes::from(text)), follow))
    });
    let body = Body::from_stream(futures::StreamExt::chain(head, rest));
    Ok(answer::bytes(200, "text/plain", body))
}

fn names(pod: &Value, list: &str) -> Vec<String> {
    meta::list(pod, list).iter().map(|one| text(one, "/name").to_owned()).collect()
}

fn container(pod: &Value, asked: &str) -> Result<String, Status> {
    let (main, init) = (names(pod, "/spec/containers"), names(pod, "/spec/initContainers"));
    let name = meta::name(pod);
    if asked.is_empty() {
        return match main.as_slice() {
            [one] => Ok(one.clone()),
            many => {
                let mut message = format!(
                    "a container name must be specified for pod {name}, choose one of: [{}]",
                    many.join(" ")
                );
                if !init.is_empty() {
                    message += " or one of the init containers: [";
                    message += &init.join(" ");
                    message.push(']');
                }
                Err(Status::bad_request(message))
            }
        };
    }
    let ephemeral = names(pod, "/spec/ephemeralContainers");
    if [&main, &init, &ephemeral].iter().any(|list| list.iter().any(|one| one == asked)) {
        return Ok(asked.to_owned());
    }
    Err(Status::bad_request(format!("container {asked} is not valid for pod {name}")))
}

fn container_status<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    ["/status/containerStatuses", "/status/initContainerStatuses", "/status/ephemeralContainerStatuses"]
        .iter()
        .flat_map(|list| meta::list(pod, list))
        .find(|status| text(status, "/name") == container)
}

/// The restart count of the start whose log is wanted.
fn instance(pod: &Value, container: &str, previous: bool) -> Result<u32, Status> {
    let name = meta::name(pod);
    if text(pod, "/spec/nodeName").is_empty() {
        return Err(Status::bad_request(format!("pod {name} does not have a host assigned")));
    }
    let waiting = |reason: &str| {
        let message = format!("container {container:?} in pod {name:?} is waiting to start: {reason}");
        Err(Status::bad_request(message))
    };
    let Some(status) = container_status(pod, container) else {
        return if previous { no_previous(container, name) } else { waiting("ContainerCreating") };
    };
    let restarts = u32::try_from(status["restartCount"].as_u64().unwrap_or(0)).unwrap_or(u32::MAX);
    let ended_before = !status["lastState"]["terminated"].is_null();
    if previous {
        if !ended_before {
            return no_previous(container, name);
        }
        let runs = status["state"]["waiting"].is_null();
        return Ok(if runs { restarts.saturating_sub(1) } else { restarts });
    }
    if let Some(reason) = status["state"]["waiting"]["reason"].as_str() {
        return match reason {
            _ if ended_before => Ok(restarts),
            "ErrImagePull" | "ImagePullBackOff" => waiting("trying and failing to pull image"),
            reason => waiting(reason),
        };
    }
    Ok(restarts)
}

fn no_previous(container: &str, pod: &str) -> Result<u32, Status> {
    let message = format!("previous terminated container {container:?} in pod {pod:?} not found");
    Err(Status::bad_request(message))
}

fn cut(lines: &[LogLine], query: &Query, now: Timestamp) -> String {
    let since = query
        .number::<i64>("sinceSeconds")
        .map(|seconds| now.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(now))
        .or_else(|| query.get("sinceTime").parse().ok());
    let kept: Vec<&LogLine> =
        lines.iter().filter(|line| since.is_none_or(|since| line.at >= since)).collect();
    let tail = query.number::<usize>("tailLines").unwrap_or(usize::MAX);
    let skip = kept.len().saturating_sub(tail);
    let mut out: String = kept[skip..].iter().map(|line| show(line, query)).collect();
    if let Some(limit) = query.number::<usize>("limitBytes") {
        let mut end = limit.min(out.len());
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
    }
    out
}

fn show(line: &LogLine, query: &Query) -> String {
    if query.is("timestamps") {
        format!("{} {}\n", line.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"), line.text)
    } else {
        format!("{}\n", line.text)
    }
}

struct Follow {
    asked: Asked,
    ns: String,
    name: String,
    container: String,
    instance: u32,
    next: u64,
}

impl Follow {
    /// The next lines; None when the container has ended and everything is told.
    async fn more(&mut self) -> Option<String> {
        let mut wake = self.asked.api.logs().subscribe();
        loop {
            wake.mark_unchanged();
            let running = self.is_running();
            let logs = self.asked.api.logs();
            let (lines, next) = logs.read(&self.ns, &self.name, &self.container, self.instance, self.next);
            self.next = next;
            if !lines.is_empty() {
                return Some(lines.iter().map(|line| show(line, &self.asked.query)).collect());
            }
            if !running {
                return None;
            }
            // Either way of waking leads to another look.
            let _ = tokio::time::timeout(LOOK, wake.changed()).await;
        }
    }

    fn is_running(&self) -> bool {
        let state = self.asked.api.inner.state.lock();
        let Ok(pod) = state.find(&self.asked.res, Some(&self.ns), &self.name) else {
            return false;
        };
        container_status(&pod, &self.container).is_some_and(|status| {
            !status["state"]["running"].is_null()
                && status["restartCount"].as_u64() == Some(u64::from(self.instance))
        })
    }
}
