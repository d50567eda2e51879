//! How kubemend stands: clusters, links, queues, version.

use serde_json::{Value, json};

use super::super::model::{ChatLink, Cluster, LinkState, Queue, StatusPage};
use super::super::say::Say;
use super::View;

pub(super) fn view(page: &StatusPage<'_>, say: Say<'_>) -> View {
    View {
        template: "status",
        title: say.t("status.title"),
        section: "status",
        live: "status".to_owned(),
        data: json!({ "live": {
            "version": page.version,
            "started": say.maybe(page.started),
            "open": page.open_incidents,
            "paused": page.paused,
            "playbooks": page.playbooks,
            "problems": page.problems,
            "head": page.head.map(|head| json!({ "seq": head.seq, "hash": head.hash.as_str(), "short": head.hash.short() })),
            "clusters": page.clusters.iter().map(|one| cluster(one, say)).collect::<Vec<_>>(),
            "links": page.links.iter().map(|one| link(one, say)).collect::<Vec<_>>(),
            "queues": page.queues.iter().map(|one| queue(one, say)).collect::<Vec<_>>(),
        }}),
    }
}

fn cluster(cluster: &Cluster, say: Say<'_>) -> Value {
    let synced = cluster.kinds.iter().all(|kind| kind.synced || kind.trouble.is_some());
    let troubled = cluster.kinds.iter().any(|kind| kind.trouble.is_some());
    let tag = match (cluster.connected, synced, troubled) {
        (false, _, _) => "down",
        (true, false, _) => "loading",
        (true, true, true) => "partly",
        (true, true, false) => "connected",
    };
    let kinds: Vec<Value> = cluster
        .kinds
        .iter()
        .map(|kind| {
            let tag = if kind.trouble.is_some() {
                "down"
            } else if kind.synced {
                "connected"
            } else {
                "loading"
            };
            json!({
                "name": kind.name,
                "objects": kind.objects,
                "unparsed": kind.unparsed,
                "trouble": kind.trouble,
                "state": say.tag("link", tag),
            })
        })
        .collect();
    json!({
        "name": cluster.name,
        "state": say.tag("link", tag),
        "since": say.maybe(cluster.since),
        "lag": cluster.lag.map(|lag| say.span(lag.as_secs())),
        "objects": cluster.kinds.iter().map(|kind| kind.objects).sum::<u64>(),
        "kinds": kinds,
    })
}

fn link(link: &ChatLink, say: Say<'_>) -> Value {
    let tag = match link.state {
        LinkState::Connected => "connected",
        LinkState::Connecting => "loading",
        LinkState::Down => "down",
    };
    json!({
        "name": link.name,
        "state": say.tag("link", tag),
        "since": say.maybe(link.since),
        "waiting": link.waiting,
        "trouble": link.trouble,
    })
}

fn queue(queue: &Queue, say: Say<'_>) -> Value {
    let key = format!("queue.{}", queue.name);
    let name = if say.knows(&key) { say.t(&key) } else { queue.name.clone() };
    json!({ "name": name, "waiting": queue.waiting, "left_out": queue.left_out })
}
