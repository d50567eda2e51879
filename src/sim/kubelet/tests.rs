//! The kubelet over time, without an API: what it writes, when, and what heals.
