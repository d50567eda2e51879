//! Names of what is there, for whoever is typing one. Bounded: so many, and what is sick comes first.

use std::collections::HashSet;

use super::Cache;
use super::table::Table;
use super::tables::{Tables, Workloads};
use crate::cluster::kind::Watched;
use crate::incident::ObjectRef;
use crate::incident::objects::Meta;

impl Cache {
    /// At most `most` objects that fit: those that look unhealthy, then workloads, nodes and namespaces. Healthy
    /// pods are held without their names.
    pub fn named(&self, most: usize, fits: impl Fn(Watched, &Meta) -> bool) -> Vec<ObjectRef> {
        let tables = self.tables.read();
        let mut named = HashSet::new();
        let all = tables.sick().chain(tables.whole());
        let fitting = all.filter(|(kind, meta)| fits(*kind, meta));
        let new = fitting.filter(|(kind, meta)| named.insert((*kind, &meta.namespace, &meta.name)));
        new.take(most).map(|(kind, meta)| meta.reference(&self.cluster, kind.api())).collect()
    }
}

impl Tables {
    fn sick(&self) -> impl Iterator<Item = (Watched, &Meta)> {
        let workloads = Workloads::KINDS.into_iter().flat_map(move |kind| {
            let sick = self.workloads.of(kind).into_iter().flat_map(Table::suspects);
            sick.map(move |workload| (kind, &workload.meta))
        });
        let pods = self.pods.suspects().map(|pod| (Watched::Pod, &pod.meta));
        let nodes = self.nodes.suspects().map(|node| (Watched::Node, &node.meta));
        let claims = self.claims.suspects().map(|claim| (Watched::Claim, &claim.meta));
        workloads.chain(pods).chain(nodes).chain(claims)
    }

    fn whole(&self) -> impl Iterator<Item = (Watched, &Meta)> {
        let workloads = Workloads::KINDS.into_iter().flat_map(move |kind| {
            let all = self.workloads.of(kind).into_iter().flat_map(Table::all);
            all.map(move |workload| (kind, &workload.meta))
        });
        let nodes = self.nodes.all().map(|node| (Watched::Node, &node.meta));
        let namespaces = self.namespaces.all().map(|namespace| (Watched::Namespace, &namespace.meta));
        workloads.chain(nodes).chain(namespaces)
    }
}
