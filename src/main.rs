//! Exit codes, TLS provider, arguments. No logic.

use std::process::ExitCode;

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nothing in this process can have installed a provider before");
    kubemend::cli::main(std::env::args_os())
}
