//! Controllers against a real API server in process.
