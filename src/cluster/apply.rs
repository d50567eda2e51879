//! The one writer. Everything that kubemend changes in a cluster goes through [`Writer::apply`].
//!
//! It makes no choices: it takes a [`Permit`], reads the target again, compares it with what was approved, and
//! sends the approved bytes once. Refuses a permit for another cluster, and a target that is not what it was.
//! The client must be one that does not retry (`default_retry = false`); kube's default sends a POST up to
//! fifteen times.
//!
//! # Why a change happens at most once
//!
//! A request whose answer is lost may have been carried out, may never arrive, or may still be on its way. So
//! the writer looks: the API server reads from its store with a quorum, so what was carried out is seen. What
//! it sees is one of three things.
//!
//! - **Made**: the marker is on the object; the object with that uid is gone or going (delete); the finalizers
//!   are gone (strip). Done, and recorded as looked up.
//! - **Not made** so far: the object is as it was approved, in every field the plan relies on. The first
//!   request may still land. A second one is harmless all the same, because every change carries a guard that
//!   only one of the two can pass: a patch tests a field that it changes itself (the generation, the
//!   finalizers, the list), a delete names the uid, a create names the object. Whichever comes second is
//!   refused with 404, 409 or 422, and is then found to be made.
//! - **Neither** can be told: the marker is missing and the fields differ. Then a person must look; nothing is
//!   sent again.
//!
//! [`Writer::apply`] itself never sends twice. Only the engine, which has recorded the intent, may call
//! [`Writer::apply_again`].

mod call;
mod compare;
mod receipt;

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use serde_json::Value;

pub(super) use call::{Answer, Caller, Found, Trial};
pub use call::{Impersonated, Impersonation};
use compare::{Judged, Standing};

use crate::gate::Permit;
use crate::incident::{Change, ChangeOutcome, Operation, Plan, Receipt, Text};

/// How long one request may take. Longer than the API server's own limits for a patch in a busy cluster.
const PATIENCE: Duration = Duration::from_secs(30);

/// Applies approved changes to one cluster.
#[derive(Clone)]
pub struct Writer {
    cluster: Text,
    caller: Caller,
    impersonation: Option<Impersonation>,
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub enum Attempt {
    /// It is known what became of the change.
    Over(ChangeOutcome),
    /// Nothing was sent, because the target could not be read. [`Writer::apply`] may be called again.
    NotSent { why: Text },
    /// It was sent, the answer was lost, and the cluster shows that it is not made. It may still land, and
    /// [`Writer::apply_again`] is harmless.
    NotMade { why: Text },
    /// It was sent, the answer was lost, and the cluster cannot be asked. Call [`Writer::look_up`] later.
    Unreachable { why: Text },
}

impl Attempt {
    /// The outcome to record when nothing more is tried.
    pub fn given_up(self) -> ChangeOutcome {
        match self {
            Self::Over(outcome) => outcome,
            Self::NotSent { why } => ChangeOutcome::Refused { code: 0, why },
            Self::NotMade { why } | Self::Unreachable { why } => ChangeOutcome::Unknown { why },
        }
    }
}

/// Whether the change may have been sent before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Earlier {
    Nothing,
    Perhaps,
}

impl Writer {
    /// A writer for the cluster of that name. The client must not retry.
    pub fn new(cluster: Text, client: Client) -> Self {
        Self { cluster, caller: Caller::new(client, PATIENCE), impersonation: None }
    }

    /// The same with another time limit for each request.
    #[must_use]
    pub fn patient_for(mut self, limit: Duration) -> Self {
        self.caller.patience = limit;
        self
    }

    /// The same, sending each change in the name of an approver. An approver without a name in the map sends
    /// nothing.
    #[must_use]
    pub fn impersonating(mut self, impersonation: Impersonation) -> Self {
        self.impersonation = Some(impersonation);
        self
    }

    /// Makes one approved change: reads, compares, sends once, and says what came of it.
    pub async fn apply(&self, permit: &Permit, index: usize) -> Attempt {
        self.attempt(permit, index, Earlier::Nothing).await
    }

    /// The same for a change that was sent before, after [`Attempt::NotMade`].
    pub async fn apply_again(&self, permit: &Permit, index: usize) -> Attempt {
        self.attempt(permit, index, Earlier::Perhaps).await
    }

    /// What became of a change that was sent, or may have been: after a crash or a lost answer. Only reads.
    pub async fn look_up(&self, permit: &Permit, index: usize) -> Attempt {
        self.look_up_plan(permit.plan(), index).await
    }

    /// The same without a permit: looking needs none, and the right to it may be gone by now.
    pub async fn look_up_plan(&self, plan: &Plan, index: usize) -> Attempt {
        match plan.changes.get(index) {
            Some(change) => self.look(plan, change, "no answer is recorded").await,
            None => no_such_change(index),
        }
    }

    async fn attempt(&self, permit: &Permit, index: usize, earlier: Earlier) -> Attempt {
        let plan = permit.plan();
        let Some(change) = plan.changes.get(index) else { return no_such_change(index) };
        if *permit.cluster() != self.cluster {
            let why = format!("the permit is for cluster {}, this is {}", permit.cluster(), self.cluster);
            return over(ChangeOutcome::Refused { code: 0, why: why.into() });
        }
        let caller = match self.sender(permit) {
            Ok(caller) => caller,
            Err(why) => return over(ChangeOutcome::Refused { code: 0, why }),
        };
        let before = match (self.caller.read_patiently(&change.target).await, earlier) {
            (Ok(found), Earlier::Nothing) => match compare::standing(change, found.as_ref()) {
                Standing::AsApproved => found,
                Standing::Needless(why) => return over(ChangeOutcome::Needless { why }),
                Standing::Stale(why) => return over(ChangeOutcome::Stale { why }),
            },
            (Ok(found), Earlier::Perhaps) => match compare::judge(&plan.marker, change, found.as_ref()) {
                Judged::NotMade => found,
                judged => return judged_attempt(change, judged, "it was sent before"),
            },
            (Err(why), Earlier::Nothing) => return Attempt::NotSent { why },
            (Err(why), Earlier::Perhaps) => return Attempt::Unreachable { why },
        };
        self.send(&caller, plan, change, before.unwrap_or_default(), earlier).await
    }

    /// The caller that sends: kubemend itself, or an approver.
    fn sender(&self, permit: &Permit) -> Result<Caller, Text> {
        let Some(impersonation) = &self.impersonation else { return Ok(self.caller.clone()) };
        let named = permit.approvers().iter().find_map(|approver| impersonation.of(approver));
        let named =
            named.ok_or("changes are made in the name of an approver, and no approver has a name for it")?;
        Ok(self.caller.in_the_name_of(named))
    }

    async fn send(
        &self,
        caller: &Caller,
        plan: &Plan,
        change: &Change,
        before: Value,
        earlier: Earlier,
    ) -> Attempt {
        match caller.send(change, Trial::No).await {
            Answer::Made(after) => {
                over(ChangeOutcome::Applied { receipt: made(change, &before, after.as_ref()) })
            }
            Answer::Refused { code, why } if earlier == Earlier::Nothing => {
                over(self.refused(change, code, why).await)
            }
            Answer::Refused { code, why } => {
                self.look(plan, change, &format!("sent again and refused with {code} ({why})")).await
            }
            Answer::Lost(why) => self.look(plan, change, &why).await,
            Answer::Unfit(why) => over(ChangeOutcome::Refused { code: 0, why }),
        }
    }

    /// A change that was refused at its first and only sending. 404, 409, 412 and 422 may mean that the object
    /// changed since it was read; a look says whether, and which field. (422 is also how a test in a JSON patch
    /// fails, and how a value that is not valid is refused.)
    async fn refused(&self, change: &Change, code: u16, why: Text) -> ChangeOutcome {
        if !matches!(code, 404 | 409 | 412 | 422) {
            return ChangeOutcome::Refused { code, why };
        }
        let fresh = self.caller.read_patiently(&change.target).await;
        let standing = fresh.map_or(Standing::AsApproved, |found| compare::standing(change, found.as_ref()));
        match standing {
            Standing::Needless(why) => ChangeOutcome::Needless { why },
            Standing::Stale(why) => ChangeOutcome::Stale { why },
            Standing::AsApproved if code == 422 => ChangeOutcome::Refused { code, why },
            Standing::AsApproved => ChangeOutcome::Stale {
                why: format!(
                    "the API server refused it with {code}: the object is not what was approved ({why})"
                )
                .into(),
            },
        }
    }

    async fn look(&self, plan: &Plan, change: &Change, lost: &str) -> Attempt {
        match self.caller.read_patiently(&change.target).await {
            Ok(found) => judged_attempt(change, compare::judge(&plan.marker, change, found.as_ref()), lost),
            Err(why) => Attempt::Unreachable { why: format!("{lost}, and {why}").into() },
        }
    }
}

fn judged_attempt(change: &Change, judged: Judged, lost: &str) -> Attempt {
    match judged {
        Judged::Made { resource_version } => over(ChangeOutcome::Applied {
            receipt: Receipt {
                at: now(),
                resource_version,
                looked_up: true,
                before: receipt::relied_on(change),
            },
        }),
        Judged::NotMade => {
            Attempt::NotMade { why: format!("{lost}; the cluster shows that it is not made").into() }
        }
        Judged::Stale(why) => over(ChangeOutcome::Stale { why }),
        Judged::Neither(why) => over(ChangeOutcome::Unknown { why: format!("{lost}; {why}").into() }),
    }
}

fn made(change: &Change, before: &Value, after: Option<&Value>) -> Receipt {
    let version = after.and_then(|json| json.pointer("/metadata/resourceVersion")?.as_str());
    let resource_version = match change.operation {
        Operation::Delete(_) => Text::default(),
        Operation::Patch(_) | Operation::Create(_) => version.unwrap_or_default().into(),
    };
    Receipt { at: now(), resource_version, looked_up: false, before: receipt::before(change, before) }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a receipt says when the answer came; nothing is decided by it"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

fn over(outcome: ChangeOutcome) -> Attempt {
    Attempt::Over(outcome)
}

fn no_such_change(index: usize) -> Attempt {
    over(ChangeOutcome::Refused { code: 0, why: format!("the plan has no change number {index}").into() })
}
