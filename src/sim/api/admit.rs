//! What happens to an object before it is stored and right after. Owns the order of the admission steps
//! and the few things one write brings along (the `default` ServiceAccount of a new namespace).

use serde_json::{Value, json};

use super::gvr;
use super::meta;
use super::state::{Call, State};
use super::status::Status;

impl State {
    /// Defaults, admission and validation of a new object.
    pub(super) fn admit_new(&mut self, call: &Call<'_>, object: &mut Value) -> Result<(), Status> {
        let _ = (call, object);
        Ok(())
    }

    /// Defaults, admission and validation of a change.
    pub(super) fn admit_change(
        &mut self,
        call: &Call<'_>,
        current: &Value,
        next: &mut Value,
    ) -> Result<(), Status> {
        let _ = (call, current, next);
        Ok(())
    }

    /// What a stored object brings along.
    pub(super) fn follow_up(&mut self, call: &Call<'_>, stored: &Value) {
        if call.res.is(&gvr::NAMESPACES) && !meta::is_deleting(stored) {
            self.give_default_account(call, meta::name(stored));
        }
    }

    /// What a removal brings along.
    pub(super) fn follow_removal(&mut self, _call: &Call<'_>, _gone: &Value) {}

    fn give_default_account(&mut self, call: &Call<'_>, ns: &str) {
        let Some(accounts) = self.registry.get(&gvr::SERVICE_ACCOUNTS) else { return };
        if self.store.get(&gvr::SERVICE_ACCOUNTS, ns, "default").is_some() {
            return;
        }
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"},
        });
        // The namespace was stored a moment ago and the account is not there: nothing to refuse.
        let _ = self.create(&call.on(accounts), Some(ns), account);
    }
}
