mod hostile;
mod looks;
mod samples;
mod shown;
mod snapshots;
