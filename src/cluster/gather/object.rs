//! Objects of which only the metadata matters: claims, namespaces, custom resources.

use super::{Gatherer, Miss, gap};
use crate::cluster::wire::AnyObject;
use crate::incident::objects::{Namespace, Object};
use crate::incident::{Gathered, Wants};

impl Gatherer {
    pub(super) async fn object(&self, seen: &mut Gathered, wants: Wants) {
        if seen.subject.api.kind == "Namespace" {
            seen.namespace = self.cache.namespace(&seen.subject.name).map(|found| Namespace::clone(&found));
        }
        seen.object = self.cache.object(&seen.subject);
        if seen.object.is_none() && wants != Wants::default() {
            seen.object = self.fetch_object(seen).await;
        }
        if let Some(object) = &seen.object {
            seen.subject = object.meta.reference(&self.name, &object.api);
        }
    }

    async fn fetch_object(&self, seen: &mut Gathered) -> Option<Object> {
        let api = seen.subject.api.clone();
        match self.fetch(&seen.subject).await {
            Ok(AnyObject::Other(object)) => Some(Object { api, ..object }),
            Ok(found) => Some(Object { api, meta: found.meta().clone() }),
            Err(Miss::NotThere) => None,
            Err(miss) => {
                let what = seen.subject.to_string();
                seen.gaps.push(gap(&what, miss));
                None
            }
        }
    }
}
