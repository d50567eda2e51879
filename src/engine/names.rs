//! Names that somebody may be typing: objects and namespaces, from memory. Nothing is asked of a cluster.

use super::handle::Handle;
use crate::cluster::kind::Watched;
use crate::incident::objects::Meta;
use crate::incident::{ApiKind, ObjectRef, Text};

/// What is typed of a name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Naming<'t> {
    /// Only in this cluster.
    pub cluster: Option<&'t str>,
    /// Only in this namespace.
    pub namespace: Option<&'t str>,
    /// Only of this kind.
    pub kind: Option<&'t ApiKind>,
    /// What the name holds, or its namespace where none is given; in lower case.
    pub holds: &'t str,
    /// So many at most.
    pub most: usize,
}

impl Naming<'_> {
    fn fits(&self, kind: Watched, meta: &Meta) -> bool {
        let Self { cluster: _, namespace, kind: only, holds, most: _ } = self;
        let inside = |namespace: &str| meta.namespace == *namespace;
        let named = meta.name.contains(holds) || namespace.is_none() && meta.namespace.contains(holds);
        named && namespace.is_none_or(inside) && only.is_none_or(|only| only.kind == kind.api().kind)
    }
}

impl Handle {
    /// Objects whose name is being typed; those that look unhealthy come first.
    pub fn objects(&self, naming: &Naming<'_>) -> Vec<ObjectRef> {
        let wanted = |name: &Text| naming.cluster.is_none_or(|only| *only == **name);
        let seats = self.shared.seats.iter().filter(|(name, _)| wanted(name));
        let mut found = Vec::new();
        for (_, seat) in seats {
            let room = naming.most.saturating_sub(found.len());
            found.extend(seat.cluster.cache().named(room, |kind, meta| naming.fits(kind, meta)));
        }
        found
    }

    /// Namespaces whose name is being typed, each once.
    pub fn namespaces(&self, naming: &Naming<'_>) -> Vec<Text> {
        let api = Watched::Namespace.api();
        let found = self.objects(&Naming { namespace: None, kind: Some(api), ..*naming });
        let mut names: Vec<Text> = found.into_iter().map(|namespace| namespace.name).collect();
        names.sort();
        names.dedup();
        names
    }
}
