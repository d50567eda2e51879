//! Who asks: a name, groups, and the extras that impersonation and tokens bring along. Decides nothing.

use std::collections::BTreeMap;

/// An authenticated user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// `system:serviceaccount:NS:NAME`, `demo-admin`, …
    pub name: String,
    /// Groups, such as `system:authenticated`.
    pub groups: Vec<String>,
    /// Uid, empty unless known.
    pub uid: String,
    /// Extra fields.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// Members may do everything; RBAC is not asked.
pub(super) const MASTERS: &str = "system:masters";
/// Everybody who showed valid credentials.
pub(super) const AUTHENTICATED: &str = "system:authenticated";
/// Who shows no credentials.
pub(super) const UNAUTHENTICATED: &str = "system:unauthenticated";

impl User {
    /// A user in the given groups, and in `system:authenticated`.
    pub fn new(name: &str, groups: &[&str]) -> Self {
        let mut groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        groups.push(AUTHENTICATED.to_owned());
        Self { name: name.to_owned(), groups, ..Self::default() }
    }

    /// A part of the cluster itself, such as `kubelet`: all rights.
    pub fn system(component: &str) -> Self {
        Self::new(&format!("system:{component}"), &[MASTERS])
    }

    /// The user a ServiceAccount's token stands for.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        let namespaced = format!("system:serviceaccounts:{namespace}");
        Self::new(
            &format!("system:serviceaccount:{namespace}:{name}"),
            &["system:serviceaccounts", &namespaced],
        )
    }

    /// Who sends no token.
    pub fn anonymous() -> Self {
        Self { name: "system:anonymous".into(), groups: vec![UNAUTHENTICATED.into()], ..Self::default() }
    }

    /// The part of the name behind `system:`, or the whole name: the default field manager.
    pub fn manager(&self) -> &str {
        self.name.strip_prefix("system:").unwrap_or(&self.name)
    }

    pub(super) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}
