//! The app's home, kept up for those who look at it: shown when it is opened, and again when what it says changes
//! while somebody may still be looking.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::front::Front;
use super::inbound::Asker;
use super::views;
use crate::chat::card::Card;
use crate::incident::Text;

/// Whoever opened it is taken to look at it for so long.
const LOOKS: Duration = Duration::from_mins(15);
/// No more people are looked after; of more, those who opened it longest ago are forgotten.
const MOST: usize = 50;
/// What changes within this time is shown together.
const TOGETHER: Duration = Duration::from_secs(2);

/// Who looks at their home.
#[derive(Default)]
pub(super) struct Homes(Mutex<HashMap<Text, Open>>);

struct Open {
    by: Asker,
    at: Instant,
    shown: Option<Card>,
}

impl Homes {
    /// Somebody opened it.
    fn opened(&self, by: &Asker) {
        let mut homes = self.0.lock();
        if homes.len() >= MOST && !homes.contains_key(&by.user) {
            let oldest = homes.iter().min_by_key(|(_, open)| open.at).map(|(user, _)| user.clone());
            oldest.map(|user| homes.remove(&user));
        }
        homes.insert(by.user.clone(), Open { by: by.clone(), at: Instant::now(), shown: None });
    }

    /// Those who may still be looking.
    fn looking(&self) -> Vec<Asker> {
        let mut homes = self.0.lock();
        homes.retain(|_, open| open.at.elapsed() < LOOKS);
        homes.values().map(|open| open.by.clone()).collect()
    }

    /// Whether a card is not what they see.
    fn is_new(&self, user: &Text, card: &Card) -> bool {
        self.0.lock().get(user).is_none_or(|open| open.shown.as_ref() != Some(card))
    }

    fn shown(&self, user: &Text, card: Card) {
        if let Some(open) = self.0.lock().get_mut(user) {
            open.shown = Some(card);
        }
    }
}

impl Front {
    /// Somebody opened their home.
    pub(super) async fn open_home(&self, by: &Asker) {
        self.homes.opened(by);
        self.home(by).await;
    }

    /// Shows homes again as things change, until `stop`.
    pub(super) async fn keep_homes(&self, stop: &CancellationToken) {
        let mut news = self.desk.engine().subscribe();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                update = news.recv() => if matches!(update, Err(RecvError::Closed)) {
                    return stop.cancelled().await;
                }
            }
            if tokio::time::timeout(TOGETHER, stop.cancelled()).await.is_ok() {
                return;
            }
            news = news.resubscribe();
            for by in self.homes.looking() {
                self.home(&by).await;
            }
        }
    }

    async fn home(&self, by: &Asker) {
        let Ok(caller) = self.caller(by).await else { return };
        let card = self.desk.home(&caller).await;
        if !self.homes.is_new(&by.user, &card) {
            return;
        }
        let published = match views::home(&self.paper, &card) {
            Ok(view) => {
                let arguments = json!({"user_id": by.user, "view": view});
                self.web.post("views.publish", &arguments).await.map(drop).map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        match published {
            Ok(()) => self.homes.shown(&by.user, card),
            Err(error) => {
                tracing::warn!(error, slack.user = %by.user, "the home of {} is not shown", by.user);
            }
        }
    }
}
