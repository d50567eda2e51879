//! One message, step by step: what is under way is stored before it is sent, what came of it after.

use std::time::Duration;

use tokio::time::Instant;

use super::more::{self, More};
use super::pace::Method;
use super::step::{Step, next};
use super::subject::Wanted;
use super::{
    BROKEN_FOR, ChannelTrouble, MessageId, Outgoing, Platform, PostError, Sent, Shared, ThreadId, nonce,
};
use crate::chat::tell::Teller;
use crate::engine::{Noting, PostState, Posting, Refused};
use crate::incident::{Digest, Recorded, Text};

/// So many steps in one turn; the rest in the next.
const STEPS: usize = 12;
/// A message that people keep removing is posted anew so often.
const REPOSTS: u32 = 1;

/// What came of one step.
enum Went {
    /// Something changed; ask for the next step.
    On,
    Wait(Duration),
    /// Nothing more for this message.
    Over,
}

impl<P: Platform> Shared<P> {
    /// Takes a message as far as it goes now. Gives the time to come again.
    pub(super) async fn advance(
        &self,
        mut posting: Posting,
        wanted: &Wanted,
    ) -> Result<Option<Duration>, Refused> {
        let body = match self.parts.layouts.card(self.parts.kind, &wanted.card, &self.parts.words) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "the message about {} cannot be laid out", posting.key.subject);
                return Ok(Some(Duration::from_mins(1)));
            }
        };
        let (digest, version) = (Digest::of(&body), wanted.version());
        let summary = wanted.card.summary.clone();
        for _ in 0..STEPS {
            let message = Outgoing {
                nonce: posting.nonce.clone(),
                body: body.clone(),
                summary: summary.clone(),
                tags: wanted.tags(),
            };
            let step = next(&posting, &digest, version);
            let Some(method) = method(step) else { break };
            if let Some(wait) = self.pace.wait(method, &posting.key.channel) {
                return Ok(Some(wait));
            }
            let went = match step {
                Step::Post => self.post(&mut posting, &message, &digest).await?,
                Step::Ask => self.ask(&mut posting).await?,
                Step::Edit => self.edit(&mut posting, &message, &digest).await?,
                Step::Note => self.note(&mut posting, wanted).await?,
                Step::AskNote => self.ask_note(&mut posting, wanted).await?,
                Step::Nothing => Went::Over,
            };
            match went {
                Went::On => {}
                Went::Wait(wait) => return Ok(Some(wait)),
                Went::Over => break,
            }
        }
        let rest = next(&posting, &digest, version) != Step::Nothing;
        if !rest {
            self.continue_message(&mut posting, wanted).await?;
        }
        let settled = !rest && (wanted.over || matches!(posting.state, PostState::Abandoned { .. }));
        if settled != posting.settled {
            posting.settled = settled;
            self.store(&mut posting).await?;
        }
        Ok(rest.then_some(Duration::from_millis(50)))
    }

    /// What the message could not hold goes on in its thread, so many times.
    async fn continue_message(&self, posting: &mut Posting, wanted: &Wanted) -> Result<(), Refused> {
        let (PostState::Posted { .. }, Some(view)) = (&posting.state, &wanted.view) else { return Ok(()) };
        let mut rest = self.parts.layouts.rest(self.parts.kind, &wanted.card);
        let book = self.parts.engine.book();
        let teller = Teller { words: &self.parts.words, book: &book };
        rest.extend(teller.further_quotes(&view.incident));
        if rest.is_empty() || posting.continued.len() >= more::MOST {
            return Ok(());
        }
        let more = More::new(&view.incident.id, &wanted.card.title, rest).in_thread(&wanted.title);
        let digest = more.digest();
        if posting.continued.contains(&digest) {
            return Ok(());
        }
        let subject = self.want_more(&posting.key.channel, &more).await?;
        posting.continued.push(digest);
        self.store(posting).await?;
        self.queue.add(subject);
        Ok(())
    }

    async fn post(
        &self,
        posting: &mut Posting,
        message: &Outgoing,
        digest: &Digest,
    ) -> Result<Went, Refused> {
        posting.state = PostState::Sending;
        self.store(posting).await?;
        match self.parts.platform.post(&posting.key.channel, message).await {
            Ok(sent) => {
                self.pace.answered(&posting.key);
                posting.shown = Some(digest.clone());
                self.posted(posting, sent).await
            }
            // Certainly not there: it can be posted again without asking.
            Err(error @ (PostError::NotSent(_) | PostError::RateLimited { .. })) => {
                posting.state = PostState::Wanted;
                self.store(posting).await?;
                self.failed(posting, Method::Post, error).await
            }
            Err(error) => self.failed(posting, Method::Post, error).await,
        }
    }

    /// Whether it arrived, when the answer was lost.
    async fn ask(&self, posting: &mut Posting) -> Result<Went, Refused> {
        match self.parts.platform.find(&posting.key.channel, None, &posting.nonce).await {
            Ok(Some(sent)) => {
                self.pace.answered(&posting.key);
                self.posted(posting, sent).await
            }
            Ok(None) => {
                posting.state = PostState::Wanted;
                self.store(posting).await?;
                Ok(Went::On)
            }
            Err(error) => self.failed(posting, Method::Find, error).await,
        }
    }

    async fn posted(&self, posting: &mut Posting, sent: Sent) -> Result<Went, Refused> {
        let Sent { message, thread } = sent;
        posting.state = PostState::Posted { message: message.0, thread: thread.map(|thread| thread.0) };
        self.store(posting).await?;
        Ok(Went::On)
    }

    async fn edit(
        &self,
        posting: &mut Posting,
        message: &Outgoing,
        digest: &Digest,
    ) -> Result<Went, Refused> {
        let PostState::Posted { message: id, .. } = &posting.state else { return Ok(Went::Over) };
        match self.parts.platform.edit(&posting.key.channel, &MessageId(id.clone()), message).await {
            Ok(()) => {
                self.pace.answered(&posting.key);
                posting.shown = Some(digest.clone());
                self.store(posting).await?;
                Ok(Went::On)
            }
            Err(PostError::Refused(why)) => {
                // The same would be refused again; another state may be taken.
                tracing::error!("the message about {} is not taken: {why}", posting.key.subject);
                posting.shown = Some(digest.clone());
                self.store(posting).await?;
                Ok(Went::On)
            }
            Err(error) => self.failed(posting, Method::Edit, error).await,
        }
    }

    async fn note(&self, posting: &mut Posting, wanted: &Wanted) -> Result<Went, Refused> {
        let to = wanted.version();
        posting.notes.sending = Some(Noting { to, nonce: nonce(&posting.key, "note", to) });
        self.store(posting).await?;
        self.reply(posting, wanted).await
    }

    async fn ask_note(&self, posting: &mut Posting, wanted: &Wanted) -> Result<Went, Refused> {
        let (PostState::Posted { thread, .. }, Some(noting)) =
            (&posting.state, posting.notes.sending.clone())
        else {
            return Ok(Went::Over);
        };
        let Some(thread) = thread.clone().map(ThreadId) else { return self.reply(posting, wanted).await };
        match self.parts.platform.find(&posting.key.channel, Some(&thread), &noting.nonce).await {
            Ok(Some(_)) => self.told(posting, noting.to).await,
            Ok(None) | Err(PostError::MessageGone) => self.reply(posting, wanted).await,
            Err(error) => self.failed(posting, Method::Find, error).await,
        }
    }

    /// Sends the reply that is stored as being sent.
    async fn reply(&self, posting: &mut Posting, wanted: &Wanted) -> Result<Went, Refused> {
        let (PostState::Posted { message, thread }, Some(noting), Some(view)) =
            (&posting.state, posting.notes.sending.clone(), &wanted.view)
        else {
            return Ok(Went::Over);
        };
        let (message, thread) = (MessageId(message.clone()), thread.clone().map(ThreadId));
        let due = |recorded: &&Recorded| recorded.number > posting.notes.told && recorded.number <= noting.to;
        let entries: Vec<Recorded> = view.entries.iter().filter(due).cloned().collect();
        let book = self.parts.engine.book();
        let teller = Teller { words: &self.parts.words, book: &book };
        let Some(card) = teller.notes(&view.incident, &entries) else {
            return self.told(posting, noting.to).await;
        };
        let body = match self.parts.layouts.card(self.parts.kind, &card, &self.parts.words) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "a note about {} cannot be laid out", posting.key.subject);
                return self.told(posting, noting.to).await;
            }
        };
        // What the note cannot hold comes after it; that it is wanted is stored before, or a crash would lose it.
        let rest = self.parts.layouts.rest(self.parts.kind, &card);
        let more = if rest.is_empty() {
            None
        } else {
            let more = More::new(&view.incident.id, &wanted.card.title, rest);
            let more = more.in_thread(&wanted.title).after(noting.to);
            Some(self.want_more(&posting.key.channel, &more).await?)
        };
        let (nonce, summary, tags) = (noting.nonce.clone(), card.summary, Vec::new());
        let reply = Outgoing { nonce, body, summary, tags };
        let title = &wanted.title;
        let channel = &posting.key.channel;
        match self.parts.platform.reply(channel, &message, thread.as_ref(), title, &reply).await {
            Ok(sent) => {
                self.pace.answered(&posting.key);
                let thread = sent.thread.or(thread).map(|thread| thread.0);
                posting.state = PostState::Posted { message: message.0, thread };
                if let Some(subject) = more {
                    self.queue.add(subject);
                }
                self.told(posting, noting.to).await
            }
            Err(PostError::MessageGone) if thread.is_some() => {
                // Somebody removed the thread, or the message: the next edit tells which.
                posting.state = PostState::Posted { message: message.0, thread: None };
                posting.shown = None;
                self.store(posting).await?;
                Ok(Went::On)
            }
            Err(PostError::Refused(why)) => {
                tracing::error!("a note about {} is not taken: {why}", posting.key.subject);
                self.told(posting, noting.to).await
            }
            Err(error) => self.failed(posting, Method::Reply, error).await,
        }
    }

    async fn told(&self, posting: &mut Posting, to: u64) -> Result<Went, Refused> {
        posting.notes.told = to;
        posting.notes.sending = None;
        self.store(posting).await?;
        Ok(Went::On)
    }

    /// What is done about an error that has no remedy of its own.
    async fn failed(&self, posting: &mut Posting, method: Method, error: PostError) -> Result<Went, Refused> {
        let subject = posting.key.subject.clone();
        match error {
            PostError::RateLimited { after, scope } => {
                self.pace.hold(method, &posting.key.channel, scope, after);
                Ok(Went::Wait(after))
            }
            PostError::Unknown(why) | PostError::NotSent(why) => {
                let wait = self.pace.back_off(&posting.key);
                tracing::info!("the message about {subject} waits {wait:?}: {why}");
                Ok(Went::Wait(wait))
            }
            PostError::MessageGone if posting.reposted < REPOSTS => {
                posting.reposted += 1;
                posting.nonce = nonce(&posting.key, "post", u64::from(posting.reposted));
                (posting.state, posting.shown, posting.notes.sending) = (PostState::Wanted, None, None);
                self.store(posting).await?;
                self.queue.add(subject);
                Ok(Went::Over)
            }
            PostError::MessageGone => {
                self.abandon(posting, "it was removed twice".to_owned()).await?;
                Ok(Went::Over)
            }
            PostError::Channel(trouble) => {
                self.close(posting, &trouble).await?;
                Ok(Went::Over)
            }
            PostError::Refused(why) => {
                tracing::error!("the message about {subject} is not taken: {why}");
                self.abandon(posting, why).await?;
                Ok(Went::Over)
            }
        }
    }

    pub(super) async fn abandon(&self, posting: &mut Posting, why: String) -> Result<(), Refused> {
        posting.state = PostState::Abandoned { why: why.into() };
        posting.settled = true;
        self.store(posting).await
    }

    /// The channel cannot be used: said once, and what belongs there goes to the fallback.
    async fn close(&self, posting: &mut Posting, trouble: &ChannelTrouble) -> Result<(), Refused> {
        let (channel, why) = (posting.key.channel.clone(), trouble.to_string());
        let was = self.is_broken(&channel);
        self.broken.lock().insert(channel.clone(), (Instant::now() + BROKEN_FOR, why.clone()));
        self.abandon(posting, why.clone()).await?;
        if !was {
            tracing::warn!(chat.channel = %channel, "channel {channel} cannot be used: {why}");
            self.tell_trouble(&channel, &why).await?;
        }
        self.queue.add(posting.key.subject.clone());
        Ok(())
    }

    async fn tell_trouble(&self, channel: &Text, why: &str) -> Result<(), Refused> {
        let book = self.parts.engine.book();
        let teller = Teller { words: &self.parts.words, book: &book };
        let card = teller.trouble(channel, why);
        for to in self.parts.routes.fallback(self.parts.kind) {
            if to.channel != *channel && !self.is_broken(&to.channel) {
                self.announce(&to.channel, &format!("trouble {channel} {why}"), &card).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn store(&self, posting: &mut Posting) -> Result<(), Refused> {
        posting.changed = self.parts.engine.now();
        self.parts.engine.put_posting(posting).await
    }
}

fn method(step: Step) -> Option<Method> {
    match step {
        Step::Post => Some(Method::Post),
        Step::Ask => Some(Method::Find),
        Step::Edit => Some(Method::Edit),
        // Whether the reply is there is asked first, and the reply may follow at once.
        Step::Note | Step::AskNote => Some(Method::Reply),
        Step::Nothing => None,
    }
}
