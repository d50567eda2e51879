//! Fault injection: what a bad network or an overloaded server does to HTTP callers. Owns which fault
//! strikes which request; the HTTP face carries it out.

use std::time::Duration;

use parking_lot::Mutex;

/// A fault, the requests it strikes, and how often.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which requests.
    pub when: Match,
    /// What happens to them.
    pub what: What,
    /// How many requests are struck; `u32::MAX` for all.
    pub times: u32,
}

/// Which requests; None matches any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: Option<String>,
    /// Plural resource, with the subresource behind a slash if there is one.
    pub resource: Option<String>,
    /// Namespace of the request.
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: Option<String>,
    /// Name of the user, after impersonation.
    pub user: Option<String>,
    /// Lets this many matching requests pass first.
    pub skip: u32,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The connection drops and nothing was done.
    CutBefore,
    /// The request is carried out, then the connection drops without an answer. A watch is cut after its
    /// first event.
    CutAfter,
    /// The request waits first.
    Delay(Duration),
    /// This HTTP code is answered and nothing was done; seconds for `Retry-After`, 0 for none.
    Status(u16, u32),
    /// 410: a list or watch is told that its version is too old.
    Gone,
    /// Every watch event comes twice.
    Duplicate,
    /// Watch events of different objects that are waiting together come in reverse order.
    Reorder,
    /// The watch stays open and says nothing.
    SilentWatch,
}

/// What is known of a request when faults are chosen.
pub(super) struct Struck<'a> {
    pub(super) verb: &'a str,
    pub(super) resource: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) user: &'a str,
}

/// All faults in wait.
#[derive(Default)]
pub struct Faults {
    armed: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Arms a fault.
    pub fn add(&self, fault: Fault) {
        self.armed.lock().push(fault);
    }

    /// Disarms all.
    pub fn clear(&self) {
        self.armed.lock().clear();
    }

    /// How many faults still wait.
    pub fn waiting(&self) -> usize {
        self.armed.lock().len()
    }

    pub(super) fn strike(&self, request: &Struck<'_>) -> Vec<What> {
        let mut armed = self.armed.lock();
        let mut struck = Vec::new();
        for fault in armed.iter_mut().filter(|fault| fault.when.covers(request)) {
            if fault.when.skip > 0 {
                fault.when.skip -= 1;
                continue;
            }
            if fault.times != u32::MAX {
                fault.times = fault.times.saturating_sub(1);
            }
            struck.push(fault.what.clone());
        }
        armed.retain(|fault| fault.times > 0);
        struck
    }
}

impl Match {
    /// Any request with this verb on this resource.
    pub fn on(verb: &str, resource: &str) -> Self {
        Self { verb: Some(verb.into()), resource: Some(resource.into()), ..Self::default() }
    }

    fn covers(&self, request: &Struck<'_>) -> bool {
        let fits = |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|one| one == own);
        fits(&self.verb, request.verb)
            && fits(&self.resource, request.resource)
            && fits(&self.namespace, request.namespace)
            && fits(&self.name, request.name)
            && fits(&self.user, request.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lets_some_pass_strikes_and_is_spent() {
        let faults = Faults::default();
        let when = Match { skip: 1, ..Match::on("patch", "pods") };
        faults.add(Fault { when, what: What::CutAfter, times: 1 });
        let patch = Struck { verb: "patch", resource: "pods", namespace: "n", name: "p", user: "u" };
        assert_eq!(faults.strike(&Struck { verb: "get", ..patch }), []);
        assert_eq!(faults.strike(&patch), []);
        assert_eq!(faults.strike(&patch), [What::CutAfter]);
        assert_eq!(faults.strike(&patch), []);
        assert_eq!(faults.waiting(), 0);
    }
}
