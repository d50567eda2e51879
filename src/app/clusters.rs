//! From the configuration's clusters to connected ones, and whether they are ready.

use std::time::Duration;

use super::StartError;
use crate::cluster::{Access, Cluster, ClusterConfig};
use crate::config::{ClusterSection, Source};
use crate::engine::{ClusterState, EngineStatus, KindState, Post};
use crate::incident::Text;
use crate::ops::NotReady;

/// What the cluster is called that kubemend runs in, where no cluster is configured.
const OWN: &str = "local";

/// Connects to each cluster. One that does not answer is waited for later; one that cannot be addressed is a
/// mistake.
pub(super) async fn connect(sections: &[ClusterSection]) -> Result<Vec<Post>, StartError> {
    let own = [ClusterSection::own(OWN)];
    let sections = if sections.is_empty() { &own[..] } else { sections };
    let mut posts = Vec::with_capacity(sections.len());
    for section in sections {
        posts.push(post(section).await?);
    }
    Ok(posts)
}

async fn post(section: &ClusterSection) -> Result<Post, StartError> {
    let (access, context) = access(&section.source);
    let mut config = ClusterConfig::new(&section.name, access);
    config.namespaces.clone_from(&section.namespaces);
    config.timing.idle = Duration::from_secs(section.watch_silence_seconds.into());
    let cluster = Cluster::connect(config).await;
    let cluster = cluster.map_err(|source| StartError::Cluster { name: section.name.to_string(), source })?;
    Ok(Post { cluster, context, impersonation: None })
}

/// How to get in, and what `kubectl` calls it.
fn access(source: &Source) -> (Access, String) {
    match source {
        Source::InCluster => (Access::InCluster, String::new()),
        Source::Kubeconfig(file) => {
            let access = Access::Kubeconfig { path: file.path.clone(), context: file.context.clone() };
            (access, file.context.clone().unwrap_or_default())
        }
    }
}

/// What keeps kubemend from being ready: a cluster that does not answer, a kind that is not listed yet. A kind
/// without rights does not: kubemend works without it and says so.
pub(super) fn waiting(status: &EngineStatus) -> Vec<NotReady> {
    status.clusters.iter().filter(|cluster| !cluster.connected).map(not_ready).collect()
}

fn not_ready(cluster: &ClusterState) -> NotReady {
    let what = |kind: &KindState| match &kind.trouble {
        Some(trouble) => format!("{}: {trouble}", kind.kind),
        None => format!("{}: not listed yet", kind.kind),
    };
    let missing: Vec<String> = cluster.kinds.iter().filter(|kind| !kind.synced).map(what).collect();
    let why = if missing.is_empty() { "not connected".to_owned() } else { missing.join("; ") };
    NotReady { what: format!("cluster {}", Text::as_str(&cluster.name)), why }
}
