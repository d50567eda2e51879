//! SIGINT and SIGTERM: stop in order. A second one does not wait.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Does `work`, and cancels `stop` at the first signal. At the second the process ends at once: that is as
/// safe as a power failure, which is what everything stored is prepared for.
pub(super) async fn stopping<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = asked() => {}
    }
    tracing::info!("stopping");
    stop.cancel();
    tokio::select! {
        done = &mut work => done,
        () = asked() => at_once(),
    }
}

async fn asked() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without signal handlers the default holds: the process simply ends.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn at_once() -> ! {
    // 130: what a shell reports of a process that SIGINT ended.
    std::process::exit(130)
}
