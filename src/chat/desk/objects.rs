//! One look at one object, and which object is meant.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde_json::json;

use super::{Desk, Errand, Reply};
use crate::chat::answer::Answer;
use crate::chat::card::{Block, Card, Rich, Tone};
use crate::chat::layout::text;
use crate::engine::{Cause, Diagnosed, Found, Piece};
use crate::incident::{Actor, ApiKind, ObjectRef, Text};

/// The kinds that can be looked at, and kubectl's short names.
const KINDS: &[(&str, &str)] = &[
    ("Pod", "po"),
    ("Node", "no"),
    ("Deployment", "deploy"),
    ("ReplicaSet", "rs"),
    ("StatefulSet", "sts"),
    ("DaemonSet", "ds"),
    ("Job", "job"),
    ("PersistentVolumeClaim", "pvc"),
    ("ServiceAccount", "sa"),
    ("Namespace", "ns"),
];
const CAUSES: usize = 3;

/// The object that is to be looked at, as it was typed.
pub(super) struct Asked {
    pub kind: String,
    pub name: Text,
    pub namespace: Option<Text>,
    pub cluster: Option<Text>,
}

impl Desk {
    pub(super) async fn diagnose(&self, who: &Actor, asked: Asked, errand: &Errand) -> Reply {
        let Asked { kind, name, namespace, cluster } = asked;
        let Some(api) = known(&kind) else {
            let kinds = KINDS.iter().map(|(kind, _)| kind.to_lowercase()).collect::<Vec<_>>().join(", ");
            let said = self.words.rich("command.kind", &json!({"kind": kind, "kinds": kinds}));
            return Ok(Answer::only(Card::said(Tone::Warning, said)));
        };
        let cluster = match self.cluster(cluster) {
            Ok(cluster) => cluster,
            Err(answer) => return Ok(answer),
        };
        let cluster_wide = matches!(api.kind.as_str(), "Node" | "Namespace");
        let namespace =
            if cluster_wide { Text::default() } else { namespace.unwrap_or_else(|| "default".into()) };
        let subject = ObjectRef { cluster, api, namespace, name, uid: Text::default() };
        let parts = Mutex::new(BTreeMap::new());
        errand.progress.send_replace(Some(self.looking(&subject, &BTreeMap::new())));
        let tell = |found: Found| {
            let mut parts = parts.lock();
            parts.insert(found.piece, found.count);
            errand.progress.send_replace(Some(self.looking(&subject, &parts)));
        };
        let found = self.engine.diagnose_telling(who, &subject, &tell).await?;
        Ok(Answer::only(self.diagnosed(&found)))
    }

    /// What is there so far of an object that is being looked at.
    fn looking(&self, subject: &ObjectRef, parts: &BTreeMap<Piece, usize>) -> Card {
        let named = json!({"subject": subject.to_string(), "cluster": subject.cluster});
        let summary = self.words.say("diagnose.looking", &named);
        let card = Card::sentence(Tone::Neutral, summary);
        let part = |(piece, count): (&Piece, &usize)| {
            let n = json!({"n": count});
            Rich::plain(match piece {
                Piece::Object => self.words.say("diagnose.part.object", &n),
                Piece::Events => self.words.say("diagnose.part.events", &n),
                Piece::Secrets => self.words.say("diagnose.part.secrets", &n),
                Piece::References => self.words.say("diagnose.part.references", &n),
                Piece::Logs => self.words.say("diagnose.part.logs", &n),
                Piece::Revisions => self.words.say("diagnose.part.revisions", &n),
            })
        };
        let items: Vec<Rich> = parts.iter().map(part).collect();
        if items.is_empty() { card } else { card.with(Block::List { items }) }
    }

    /// The cluster that is meant; the only one, where none is named.
    fn cluster(&self, named: Option<Text>) -> Result<Text, Answer> {
        let clusters: Vec<Text> =
            self.engine.status().clusters.into_iter().map(|cluster| cluster.name).collect();
        let names = clusters.iter().map(Text::as_str).collect::<Vec<_>>().join(", ");
        match (named, clusters.as_slice()) {
            (Some(name), all) if all.contains(&name) => Ok(name),
            (Some(name), _) => {
                let values = json!({"name": name, "clusters": names});
                Err(Answer::only(Card::said(
                    Tone::Warning,
                    self.words.rich("command.cluster.unknown", &values),
                )))
            }
            (None, [only]) => Ok(only.clone()),
            (None, _) => {
                let said = self.words.rich("command.cluster", &json!({"clusters": names}));
                Err(Answer::only(Card::said(Tone::Warning, said)))
            }
        }
    }

    fn diagnosed(&self, found: &Diagnosed) -> Card {
        let Diagnosed { subject, exists, causes, gaps } = found;
        let named = json!({"subject": subject.to_string(), "cluster": subject.cluster});
        if !exists {
            return Card::sentence(Tone::Warning, self.words.say("diagnose.absent", &named));
        }
        let gap = |gap: &crate::incident::Gap| {
            Rich::plain(self.words.say("diagnose.gap", &json!({"what": gap.what, "why": gap.why})))
        };
        let gaps: Vec<Rich> = gaps.iter().take(5).map(gap).collect();
        let mut blocks: Vec<Block> = causes.iter().take(CAUSES).flat_map(|cause| self.cause(cause)).collect();
        if causes.is_empty() {
            blocks.push(text(self.words.say("diagnose.none", &named)));
        }
        if !gaps.is_empty() {
            blocks.push(Block::List { items: gaps });
        }
        let count = json!({"subject": subject.to_string(), "n": causes.len()});
        Card {
            tone: if causes.is_empty() { Tone::Good } else { Tone::Warning },
            summary: self.words.say("diagnose.summary", &count),
            title: self.words.say("diagnose.title", &named),
            blocks,
        }
    }

    fn cause(&self, cause: &Cause) -> Vec<Block> {
        let Cause { finding, remedies, manual, incident } = cause;
        let mut blocks =
            vec![Block::Heading { text: finding.title.to_string() }, text(finding.cause.clone())];
        blocks.extend(finding.quotes.iter().take(3).map(crate::chat::tell::quoted));
        if !finding.also_possible.is_empty() {
            let names = self.with_teller(|teller, _| {
                finding.also_possible.iter().map(|id| teller.condition(id)).collect::<Vec<_>>()
            });
            blocks.push(text(self.words.say("card.also", &json!({"names": names.join(", ")}))));
        }
        if !remedies.is_empty() {
            blocks.push(Block::Heading { text: self.words.word("card.can") });
            let items = remedies.iter().map(|candidate| self.remedy(candidate)).collect();
            blocks.push(Block::List { items });
        }
        if let Some(id) = incident {
            blocks.push(Block::Text { text: self.words.rich("diagnose.incident", &json!({"id": id})) });
        }
        if !manual.is_empty() {
            blocks.push(Block::Heading { text: self.words.word("diagnose.manual") });
            blocks.push(text(manual.clone()));
        }
        blocks
    }
}

/// The kind that is called so.
pub(super) fn known(kind: &str) -> Option<ApiKind> {
    let found = KINDS.iter().find(|(name, short)| {
        let plural = ApiKind::known(name).is_some_and(|api| api.plural == kind);
        name.eq_ignore_ascii_case(kind) || *short == kind || plural
    });
    found.and_then(|(name, _)| ApiKind::known(name))
}
