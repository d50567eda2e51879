//! The playbooks that are part of the binary. A test compares this list with the folder.

macro_rules! shipped {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../", $file)))),*]
    };
}

/// File and text of each.
pub(super) const SHIPPED: &[(&str, &str)] = shipped![];
