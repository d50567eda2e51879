//! What is shown to somebody who waits, and how often: at once what is looked at, then what is there so far, and
//! never so often that no way is left for the answer.
//!
//! Refuses to know how it is shown: that is [`Shows`], of each platform.

use std::time::{Duration, Instant};

use futures::future::{Either, select};
use tokio::sync::watch;

use super::card::Card;

/// What is there so far changes no more often than this.
const EVERY: Duration = Duration::from_millis(700);

/// What is due.
pub(super) enum Meanwhile {
    /// Nothing is there so far, and it takes long.
    Patience,
    SoFar(Card),
}

/// What became of something that is there so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    /// It is shown, or was not worth it.
    Done,
    /// The platform wants so long a pause.
    Pause(Duration),
    /// Nothing can be shown this way any more.
    NoMore,
}

/// How a platform shows what is there so far.
pub(super) trait Shows: Send {
    /// Shows it, once; without it the answer comes all the same.
    fn show(&mut self, next: Meanwhile) -> impl Future<Output = Shown> + Send;
}

/// Somebody who waits.
pub(super) struct Waiting {
    patience: Option<tokio::time::Instant>,
    next: tokio::time::Instant,
    left: u32,
    /// Something is there that was not shown yet.
    pending: bool,
}

impl Waiting {
    /// Shows what is there so far so many times.
    pub(super) fn times(left: u32) -> Self {
        Self { patience: None, next: tokio::time::Instant::now(), left, pending: false }
    }

    /// Says that it takes long, when it has taken so long since it was taken in.
    pub(super) fn patient(self, taken: Instant, patience: Duration) -> Self {
        let patience = tokio::time::Instant::now() + patience.saturating_sub(taken.elapsed());
        Self { patience: Some(patience), ..self }
    }

    /// Waits for an answer, and shows what is there so far meanwhile.
    pub(super) async fn until<A>(
        mut self,
        mut answer: impl Future<Output = A> + Send + Unpin,
        mut news: watch::Receiver<Option<Card>>,
        shows: &mut impl Shows,
    ) -> A {
        loop {
            let next = tokio::select! {
                biased;
                answer = &mut answer => return answer,
                next = self.next(&mut news) => next,
            };
            // What is being shown is shown to its end: nothing may come after the answer.
            let show = Box::pin(shows.show(next));
            match select(show, &mut answer).await {
                Either::Left((shown, _)) => self.learn(shown),
                Either::Right((answer, show)) => {
                    show.await;
                    return answer;
                }
            }
        }
    }

    fn learn(&mut self, shown: Shown) {
        match shown {
            Shown::Done => {}
            // The newest of what is there then, though it be the same.
            Shown::Pause(pause) => {
                self.next = self.next.max(tokio::time::Instant::now() + pause);
                self.pending = self.left > 0;
            }
            Shown::NoMore => (self.left, self.pending) = (0, false),
        }
    }

    /// Waits until something is due.
    async fn next(&mut self, news: &mut watch::Receiver<Option<Card>>) -> Meanwhile {
        loop {
            let patience = self.patience;
            tokio::select! {
                () = until(Some(self.next)), if self.pending => {
                    self.pending = false;
                    if let Some(card) = news.borrow_and_update().clone() {
                        (self.patience, self.left) = (None, self.left - 1);
                        self.next = tokio::time::Instant::now() + EVERY;
                        return Meanwhile::SoFar(card);
                    }
                }
                changed = news.changed(), if self.left > 0 && !self.pending => match changed {
                    Ok(()) => self.pending = true,
                    Err(_) => self.left = 0,
                },
                () = until(patience) => {
                    self.patience = None;
                    return Meanwhile::Patience;
                }
            }
        }
    }
}

/// Waits until then; for ever if there is no such moment.
pub(super) async fn until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::card::Tone;

    /// Keeps what it was shown, and says what it is told to say, the last of it again and again.
    struct Kept {
        told: Vec<(String, tokio::time::Instant)>,
        says: Vec<Shown>,
    }

    impl Shows for Kept {
        async fn show(&mut self, next: Meanwhile) -> Shown {
            let told = match next {
                Meanwhile::Patience => "patience".to_owned(),
                Meanwhile::SoFar(card) => card.summary,
            };
            self.told.push((told, tokio::time::Instant::now()));
            if self.says.len() > 1 { self.says.remove(0) } else { self.says[0] }
        }
    }

    /// What is shown while a part is found every so often, ten of them.
    async fn shown(waiting: Waiting, says: &[Shown], every: Duration) -> Vec<(String, tokio::time::Instant)> {
        let (found, news) = watch::channel(None);
        let answer = Box::pin(async {
            for part in 0..10 {
                found.send_replace(Some(Card::sentence(Tone::Neutral, format!("part {part}"))));
                until(Some(tokio::time::Instant::now() + every)).await;
            }
            "answer"
        });
        let mut kept = Kept { told: Vec::new(), says: says.to_vec() };
        assert_eq!(waiting.until(answer, news, &mut kept).await, "answer");
        kept.told
    }

    fn words(told: &[(String, tokio::time::Instant)]) -> Vec<&str> {
        told.iter().map(|(word, _)| word.as_str()).collect()
    }

    #[tokio::test]
    async fn what_is_there_so_far_is_shown_at_once_then_now_and_then_and_so_often_only() {
        let told = shown(Waiting::times(2), &[Shown::Done], Duration::from_millis(200)).await;
        assert_eq!(words(&told)[0], "part 0");
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].1 - told[0].1 >= EVERY, "{told:?}");
        assert_eq!(words(&shown(Waiting::times(0), &[Shown::Done], Duration::from_millis(5)).await), [""; 0]);
    }

    #[tokio::test]
    async fn a_platform_that_wants_a_pause_has_it_and_where_nothing_can_be_shown_any_more_nothing_is() {
        for says in [Shown::Pause(Duration::from_hours(1)), Shown::NoMore] {
            let told = shown(Waiting::times(9), &[says], Duration::from_millis(100)).await;
            assert_eq!(words(&told), ["part 0"], "{says:?}");
        }
    }

    #[tokio::test]
    async fn what_was_not_shown_for_a_limit_is_shown_after_it_though_nothing_new_came() {
        let (found, news) = watch::channel(None);
        let answer = Box::pin(async {
            found.send_replace(Some(Card::sentence(Tone::Neutral, "all there is")));
            until(Some(tokio::time::Instant::now() + EVERY * 2)).await;
        });
        let says = vec![Shown::Pause(Duration::from_millis(5)), Shown::Done];
        let mut kept = Kept { told: Vec::new(), says };
        Waiting::times(9).until(answer, news, &mut kept).await;
        assert_eq!(words(&kept.told), ["all there is", "all there is"]);
    }

    #[tokio::test]
    async fn whoever_waits_for_long_without_anything_is_told_so_once() {
        let waiting = Waiting::times(0).patient(Instant::now(), Duration::from_millis(20));
        let told = shown(waiting, &[Shown::Done], Duration::from_millis(20)).await;
        assert_eq!(words(&told), ["patience"]);
    }
}
