//! The playbooks that are part of the binary. A test compares this list with the folder.

macro_rules! shipped {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../", $file)))),*]
    };
}

/// File and text of each.
pub(super) const SHIPPED: &[(&str, &str)] = shipped![
    "playbooks/config/missing-reference.yaml",
    "playbooks/crash/app-exit.yaml",
    "playbooks/crash/oom-killed.yaml",
    "playbooks/crash/stale-subpath.yaml",
    "playbooks/image/auth-missing.yaml",
    "playbooks/image/auth-rejected.yaml",
    "playbooks/image/auth-secret-invalid.yaml",
    "playbooks/image/auth-secret-missing.yaml",
    "playbooks/image/not-found.yaml",
    "playbooks/image/project-missing.yaml",
    "playbooks/image/rate-limited.yaml",
    "playbooks/image/registry-outage.yaml",
    "playbooks/node/not-ready.yaml",
    "playbooks/terminate/finalizers.yaml",
    "playbooks/terminate/node-lost.yaml",
    "playbooks/terminate/stuck.yaml",
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_playbook_in_the_folder_is_shipped() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        for family in std::fs::read_dir(root.join("playbooks")).unwrap() {
            for file in std::fs::read_dir(family.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
        found.sort();
        let listed: Vec<&str> = super::SHIPPED.iter().map(|(file, _)| *file).collect();
        assert_eq!(listed, found);
    }
}
