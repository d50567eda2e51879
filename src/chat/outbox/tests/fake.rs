//! A platform in memory: keeps what it is sent, and fails as it is told.

use std::collections::{BTreeMap, VecDeque};

use tokio::task::JoinHandle;

use super::*;
use crate::engine::Engine;
use crate::store::Store;

/// What goes wrong with the next request of a kind.
pub(super) enum Fault {
    /// It arrives, and the answer never comes.
    Hang,
    /// It does not arrive, and no answer comes.
    HangBefore,
    /// It arrives, and the answer is an error.
    LostAnswer,
    Refuse(PostError),
    /// Nothing goes wrong this time.
    Pass,
}

#[derive(Clone)]
pub(super) struct Message {
    pub nonce: String,
    pub text: String,
    id: String,
    thread: Option<String>,
}

#[derive(Default)]
pub(super) struct World {
    all: BTreeMap<String, Vec<Message>>,
    pub faults: Vec<(Method, VecDeque<Fault>)>,
    closed: Vec<String>,
    next: u64,
    pub edits: usize,
    pub asked: usize,
    pub hung: usize,
    pub takes_files: bool,
}

impl World {
    pub(super) fn messages(&self, channel: &str) -> Vec<Message> {
        let all = self.all.get(channel).into_iter().flatten();
        all.filter(|message| message.thread.is_none()).cloned().collect()
    }

    pub(super) fn replies(&self, channel: &str) -> Vec<String> {
        let all = self.all.get(channel).into_iter().flatten();
        all.filter(|message| message.thread.is_some()).map(|message| message.text.clone()).collect()
    }

    fn fault(&mut self, method: Method) -> Option<Fault> {
        let at = self.faults.iter().position(|(of, _)| *of == method)?;
        let fault = self.faults[at].1.pop_front();
        if self.faults[at].1.is_empty() {
            self.faults.remove(at);
        }
        fault
    }

    fn put(&mut self, channel: &str, thread: Option<&str>, message: &Outgoing) -> Sent {
        self.next += 1;
        let id = format!("m{}", self.next);
        let kept = Message {
            nonce: message.nonce.to_string(),
            text: message.body.to_string(),
            id: id.clone(),
            thread: thread.map(str::to_owned),
        };
        self.all.entry(channel.to_owned()).or_default().push(kept);
        let thread = ThreadId(thread.unwrap_or(&id).into());
        Sent { message: MessageId(id.as_str().into()), thread: Some(thread) }
    }
}

#[derive(Clone, Default)]
pub(super) struct Fake(pub(super) Arc<Mutex<World>>);

impl Fake {
    pub(super) fn fail(&self, method: Method, fault: Fault) {
        let mut world = self.0.lock();
        match world.faults.iter_mut().find(|(of, _)| *of == method) {
            Some((_, faults)) => faults.push_back(fault),
            None => world.faults.push((method, VecDeque::from([fault]))),
        }
    }

    pub(super) fn close(&self, channel: &str) {
        self.0.lock().closed.push(channel.to_owned());
    }

    /// Somebody removes everything in a channel.
    pub(super) fn remove(&self, channel: &str) {
        self.0.lock().all.remove(channel);
    }

    pub(super) fn read<T>(&self, what: impl FnOnce(&World) -> T) -> T {
        what(&self.0.lock())
    }

    #[track_caller]
    pub(super) fn until(&self, holds: impl Fn(&World) -> bool) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let mut every = tokio::time::interval(Duration::from_millis(10));
            for _ in 0..3000 {
                every.tick().await;
                if self.read(&holds) {
                    return;
                }
            }
            panic!("{place}: it did not come to that");
        }
    }

    async fn take<T>(
        &self,
        method: Method,
        channel: &str,
        act: impl FnOnce(&mut World) -> Result<T, PostError>,
    ) -> Result<T, PostError> {
        let hang = {
            let mut world = self.0.lock();
            if world.closed.iter().any(|closed| closed == channel) {
                return Err(ChannelTrouble::Gone.into());
            }
            match world.fault(method) {
                None | Some(Fault::Pass) => return act(&mut world),
                Some(Fault::Refuse(error)) => return Err(error),
                Some(Fault::LostAnswer) => {
                    act(&mut world)?;
                    return Err(PostError::Unknown("502".to_owned()));
                }
                Some(Fault::Hang) => {
                    act(&mut world)?;
                    world.hung += 1;
                }
                Some(Fault::HangBefore) => world.hung += 1,
            }
            std::future::pending()
        };
        hang.await
    }
}

impl Platform for Fake {
    fn name(&self) -> &'static str {
        "slack"
    }

    async fn post(&self, channel: &Text, message: &Outgoing) -> Result<Sent, PostError> {
        self.take(Method::Post, channel, |world| Ok(world.put(channel, None, message))).await
    }

    async fn edit(&self, channel: &Text, id: &MessageId, message: &Outgoing) -> Result<(), PostError> {
        let act = |world: &mut World| {
            world.edits += 1;
            let all = world.all.entry(channel.to_string()).or_default();
            let found = all.iter_mut().find(|kept| kept.id == id.0.as_str()).ok_or(PostError::MessageGone)?;
            found.text = message.body.to_string();
            Ok(())
        };
        self.take(Method::Edit, channel, act).await
    }

    async fn reply(
        &self,
        channel: &Text,
        id: &MessageId,
        _: Option<&ThreadId>,
        _: &str,
        message: &Outgoing,
    ) -> Result<Sent, PostError> {
        let act = |world: &mut World| {
            if world.messages(channel).iter().all(|kept| kept.id != id.0.as_str()) {
                return Err(PostError::MessageGone);
            }
            Ok(world.put(channel, Some(&id.0), message))
        };
        self.take(Method::Reply, channel, act).await
    }

    async fn attach(
        &self,
        channel: &Text,
        id: &MessageId,
        _: Option<&ThreadId>,
        file: &Attachment,
    ) -> Result<Sent, PostError> {
        let body = serde_json::json!({"file": file.name, "text": file.text});
        let (nonce, summary, tags) = (file.nonce.clone(), file.title.clone(), Vec::new());
        let message = Outgoing { nonce, body, summary, tags };
        let act = |world: &mut World| {
            if !world.takes_files {
                return Err(PostError::Refused("no files here".to_owned()));
            }
            Ok(world.put(channel, Some(&id.0), &message))
        };
        self.take(Method::Reply, channel, act).await
    }

    async fn find(
        &self,
        channel: &Text,
        thread: Option<&ThreadId>,
        nonce: &Text,
    ) -> Result<Option<Sent>, PostError> {
        let act = |world: &mut World| {
            world.asked += 1;
            let all = world.all.get(channel.as_str()).into_iter().flatten();
            let thread = thread.map(|thread| thread.0.to_string());
            let found = all.filter(|kept| kept.thread == thread).find(|kept| kept.nonce == nonce.as_str());
            Ok(found.map(|kept| Sent {
                message: MessageId(kept.id.as_str().into()),
                thread: Some(ThreadId(kept.id.as_str().into())),
            }))
        };
        self.take(Method::Find, channel, act).await
    }
}

/// An engine, a store and a platform; outboxes come and go.
pub(super) struct Rig {
    pub engine: Engine,
    pub fake: Fake,
    routes: Arc<Routes>,
    words: Arc<Words>,
    layouts: Arc<Layouts>,
}

/// An outbox that runs.
pub(super) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Rig {
    pub(super) async fn new(settings: &str) -> Self {
        let settings: Settings = serde_saphyr::from_str(settings).expect("YAML");
        Self {
            engine: rig::engine(&Store::memory().await.expect("memory")).await,
            fake: Fake::default(),
            routes: Arc::new(Routes::new(&settings).expect("no mistakes")),
            words: Arc::new(Words::shipped("en")),
            layouts: Arc::new(Layouts::shipped()),
        }
    }

    pub(super) fn outbox(&self) -> Outbox<Fake> {
        Outbox::new(Parts {
            platform: self.fake.clone(),
            kind: layout::Platform::Slack,
            engine: self.engine.handle(),
            routes: Arc::clone(&self.routes),
            words: Arc::clone(&self.words),
            layouts: Arc::clone(&self.layouts),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the test waits for it")]
    pub(super) fn start(&self) -> Running {
        let outbox = self.outbox();
        let stop = CancellationToken::new();
        Running { task: tokio::spawn(outbox.run(stop.clone())), stop }
    }

    pub(super) async fn postings(&self, id: &IncidentId) -> Vec<Posting> {
        self.engine.handle().postings("slack", id.as_str()).await.expect("the store works")
    }

    pub(super) async fn until_abandoned(&self, id: &IncidentId) {
        self.until(id, |posting| matches!(posting.state, PostState::Abandoned { .. })).await;
    }

    /// Until the platform shows what it should.
    pub(super) async fn until_shown(&self, id: &IncidentId) {
        self.until(id, |posting| posting.shown.is_some()).await;
    }

    /// Until nothing more is to be done about a message.
    pub(super) async fn until_quiet(&self, id: &IncidentId) {
        let version = self.engine.handle().incident(id).await.expect("there").incident.version;
        self.until(id, |posting| posting.notes.told == version && posting.notes.sending.is_none()).await;
    }

    async fn until(&self, id: &IncidentId, holds: impl Fn(&Posting) -> bool) {
        let mut every = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..3000 {
            every.tick().await;
            if self.postings(id).await.iter().any(&holds) {
                return;
            }
        }
        panic!("the message about {id} did not come to that");
    }
}

impl Running {
    /// As when kubemend stops.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("it ends");
    }

    /// As when it is killed: whatever is under way is never finished.
    pub(super) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}
