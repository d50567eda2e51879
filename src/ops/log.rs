//! The log: text for people, JSON lines for collectors, on standard error.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The section `log`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    pub format: Format,
    /// Which events are written, such as `info` or `warn,kubemend::engine=debug`.
    pub filter: String,
}

/// How a log line is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    #[default]
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self { format: Format::default(), filter: "info".to_owned() }
    }
}

impl Settings {
    /// The filter, or what is wrong with it.
    pub fn parse_filter(&self) -> Result<EnvFilter, String> {
        EnvFilter::builder().parse(&self.filter).map_err(|error| error.to_string())
    }
}

/// Starts the log of this process. A second start changes nothing, so that tests may call it freely.
pub fn start_log<W>(settings: &Settings, writer: W) -> Result<(), String>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = settings.parse_filter()?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    let started = match settings.format {
        Format::Text => log.with_target(false).finish().try_init(),
        Format::Json => log.json().flatten_event(true).finish().try_init(),
    };
    drop(started);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_an_error_before_the_log_starts() {
        let wrong = Settings { filter: "kubemend=loud".to_owned(), ..Settings::default() };
        assert!(wrong.parse_filter().is_err());
        assert!(Settings::default().parse_filter().is_ok());
    }
}
