//! What is known of channels: whether it is a forum, which tags it has, and which tags its posts have.
//!
//! Kept for a while and never trusted: what Discord refuses is asked for anew.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::chat::discord::web::{Route, Web, WebError};
use crate::incident::Text;

/// For how long what Discord said of a channel is taken for true.
const LIVES: Duration = Duration::from_mins(10);
/// The most channels, and posts, that are remembered.
const MOST: usize = 2_000;
/// The most tags of a post.
const MOST_TAGS: usize = 5;
/// All the tags that kubemend sets.
const OURS: [&str; 7] = ["open", "needs a decision", "being fixed", "over", "info", "warning", "critical"];

/// Discord's kinds of channels in which every message begins a thread: forum and media.
const FORUMS: [u64; 2] = [15, 16];
const NEEDS_TAG: u64 = 1 << 4;

#[derive(Debug)]
pub(super) struct Place {
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Messages stand in it.
    Plain,
    /// Posts do.
    Forum { guild: String, tags: Vec<Tag>, needs_tag: bool },
}

#[derive(Debug)]
pub(super) struct Tag {
    id: String,
    name: String,
}

impl Place {
    fn of(channel: &Value) -> Self {
        if !channel["type"].as_u64().is_some_and(|kind| FORUMS.contains(&kind)) {
            return Self { kind: Kind::Plain };
        }
        let tags = channel["available_tags"].as_array().into_iter().flatten().take(100);
        let tags = tags.filter_map(|tag| {
            let name = tag["name"].as_str()?.trim().to_lowercase();
            Some(Tag { id: tag["id"].as_str()?.to_owned(), name })
        });
        let flags = channel["flags"].as_u64().unwrap_or_default();
        Self {
            kind: Kind::Forum {
                guild: channel["guild_id"].as_str().unwrap_or_default().to_owned(),
                tags: tags.collect(),
                needs_tag: flags & NEEDS_TAG != 0,
            },
        }
    }

    /// The ids of the tags of these names, with what people set besides; at least one where one is needed.
    pub(super) fn tags_for(&self, names: &[&str], present: &[&str]) -> Vec<String> {
        let Kind::Forum { tags, needs_tag, .. } = &self.kind else { return Vec::new() };
        let wanted = tags.iter().filter(|tag| names.contains(&tag.name.as_str()));
        let is_ours = |tag: &&Tag| OURS.contains(&tag.name.as_str());
        let others = tags.iter().filter(|tag| !is_ours(tag) && present.contains(&tag.id.as_str()));
        let mut ids: Vec<String> = wanted.chain(others).map(|tag| tag.id.clone()).collect();
        if ids.is_empty() && *needs_tag {
            let usual = tags.iter().find(|tag| !is_ours(tag)).or(tags.first());
            ids.extend(usual.map(|tag| tag.id.clone()));
        }
        ids.truncate(MOST_TAGS);
        ids
    }
}

/// Channels, as Discord described them.
#[derive(Default)]
pub(super) struct Places(Mutex<HashMap<Text, (Instant, Arc<Place>)>>);

impl Places {
    pub(super) async fn get(&self, web: &Web, channel: &Text) -> Result<Arc<Place>, WebError> {
        if let Some((at, place)) = self.0.lock().get(channel)
            && at.elapsed() < LIVES
        {
            return Ok(Arc::clone(place));
        }
        let told = web.call(&Route::get("channels/{}", &[channel]), None).await?;
        let place = Arc::new(Place::of(&told));
        let mut places = self.0.lock();
        if places.len() >= MOST {
            places.retain(|_, (at, _)| at.elapsed() < LIVES);
        }
        if places.len() >= MOST {
            places.clear();
        }
        places.insert(channel.clone(), (Instant::now(), Arc::clone(&place)));
        Ok(place)
    }

    /// The channel may be another than it was.
    pub(super) fn forget_if_misjudged(&self, channel: &Text, error: &WebError) {
        if matches!(error, WebError::Api { .. }) {
            self.0.lock().remove(channel);
        }
    }
}

/// The tags that posts have, as far as kubemend set them.
#[derive(Default)]
pub(super) struct Tags(Mutex<HashMap<String, Vec<String>>>);

impl Tags {
    pub(super) fn remember(&self, post: &str, tags: Vec<String>) {
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(post.to_owned(), tags);
    }

    /// Gives a post the tags of these names, and leaves what people set besides.
    pub(super) async fn put(
        &self,
        web: &Web,
        place: &Place,
        post: &str,
        names: &[&str],
    ) -> Result<(), WebError> {
        let known = self.0.lock().get(post).cloned();
        if let Some(known) = &known {
            let present: Vec<&str> = known.iter().map(String::as_str).collect();
            if place.tags_for(names, &present) == *known {
                return Ok(());
            }
        }
        let told = web.call(&Route::get("channels/{}", &[post]), None).await?;
        let present = told["applied_tags"].as_array().into_iter().flatten();
        let present: Vec<&str> = present.filter_map(Value::as_str).collect();
        let wanted = place.tags_for(names, &present);
        let same = wanted.len() == present.len() && wanted.iter().all(|tag| present.contains(&tag.as_str()));
        if !same {
            let body = json!({"applied_tags": wanted});
            web.call(&Route::patch("channels/{}", &[post]), Some(&body)).await?;
        }
        self.remember(post, wanted);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forum(flags: u64) -> Place {
        let tag = |id: &str, name: &str| json!({"id": id, "name": name, "moderated": false});
        Place::of(&json!({"type": 15, "guild_id": "2", "flags": flags, "available_tags":
            [tag("1", "Open"), tag("2", "over"), tag("3", " Critical "), tag("4", "postmortem")]}))
    }

    #[test]
    fn a_post_gets_the_tags_whose_names_are_there() {
        assert_eq!(forum(0).tags_for(&["open", "critical"], &[]), ["1", "3"]);
        assert_eq!(forum(0).tags_for(&["open", "warning"], &[]), ["1"]);
        assert_eq!(Place::of(&json!({"type": 0})).tags_for(&["open"], &[]), Vec::<String>::new());
    }

    #[test]
    fn what_people_set_besides_stays_and_what_kubemend_set_goes() {
        assert_eq!(forum(0).tags_for(&["over", "critical"], &["1", "4"]), ["2", "3", "4"]);
    }

    #[test]
    fn where_a_tag_is_needed_there_is_one() {
        assert_eq!(forum(NEEDS_TAG).tags_for(&[], &[]), ["4"]);
        assert_eq!(forum(0).tags_for(&[], &[]), Vec::<String>::new());
    }
}
