//! The pages of all kinds, made of samples.

mod hostile;
mod looks;
mod samples;
mod shown;
mod snapshots;
