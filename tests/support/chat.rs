//! What scenes in all chat platforms share: who may do what, waiting for what people see, and that nothing was sent
//! twice.

use std::time::{Duration, Instant};

use super::stage::LONG;

/// Who may do what, and where it is told.
pub struct House<'a> {
    /// Entries of `gate.people`.
    pub people: &'a str,
    /// Entries of `gate.groups`.
    pub groups: &'a str,
    pub approvals: u8,
    pub lives: &'a str,
    /// What stands under `chat`.
    pub chat: &'a str,
}

impl House<'_> {
    /// As a part of the configuration.
    pub fn rules(&self) -> String {
        let Self { people, groups, approvals, lives, chat } = self;
        let groups = if groups.is_empty() { String::new() } else { format!("  groups:\n{groups}") };
        format!(
            "gate:
  roles:
    viewer: {{}}
    admin:
      grants: [{{actions: ['*'], maxRisk: high}}]
      rights: [pause, silence, audit]
  people:
{people}{groups}  approvals:
    low: {{approvals: {approvals}, lives: {lives}}}
    medium: {{approvals: {approvals}, lives: {lives}}}
    high: {{approvals: {approvals}, lives: {lives}, typedConfirmation: true}}
incidents: {{holdOffPercent: 20, settleSeconds: 2}}
chat:
{chat}"
        )
    }
}

/// Waits for something to be there; fails with what people saw instead.
pub async fn until<T>(what: &str, seen: impl Fn() -> String, look: impl Fn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < LONG, "{what}: not within {LONG:?}; seen:\n{}", seen());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Everything that was sent under a name of its own was sent once.
pub fn each_once(mut names: Vec<String>, seen: impl Fn() -> String) {
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "{}", seen());
}
