//! `kubemend templates`: list the templates in use, check them against what the platforms take, and look at them.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use tokio_util::sync::CancellationToken;

use super::failure::{Exit, Failure, note, print};
use super::run::failed;
use super::signals;
use crate::chat::layout::Layouts;
use crate::chat::templates::{self, Checked, Mistake, lines};
use crate::chat::words::{FALLBACK, Words};
use crate::{app, ops};

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// The files in use, and the keys of all phrases.
    List(Files),
    /// Render every template with sample data, in every locale, against each platform's limits.
    Lint(Files),
    /// Show in the browser what every template gives, and follow them as they are saved.
    Preview(Preview),
}

/// What to look at, and where. Only this machine can reach it: it asks nobody who they are, as there is nothing
/// but samples to see.
#[derive(ClapArgs, Debug)]
pub(super) struct Preview {
    /// Where the page listens, on this machine; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A folder whose templates take the place of the shipped ones.
    #[arg(long = "templates", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// A further locale, whose words are in the folder.
    #[arg(long = "locale", value_name = "LOCALE")]
    locales: Vec<String>,
}

/// Templates of one's own.
#[derive(ClapArgs, Debug, Default)]
pub(super) struct Files {
    /// A folder whose templates take the place of the shipped ones: `slack/card.json.hbs`, `en/card.yaml`.
    #[arg(long = "dir", value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// A further locale, whose words are in the folder.
    #[arg(long = "locale", value_name = "LOCALE")]
    locales: Vec<String>,
}

pub(super) async fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::List(files) => list(&files),
        Command::Lint(files) => check(&files),
        Command::Preview(arguments) => preview(arguments).await,
    }
}

fn list(files: &Files) -> Result<Exit, Failure> {
    let loaded = Layouts::load(files.dir.as_deref())
        .and_then(|layouts| Words::load(FALLBACK, files.dir.as_deref()).map(|words| (layouts, words)));
    let (layouts, words) = match loaded {
        Ok(loaded) => loaded,
        Err(mistakes) => return Ok(report(&mistakes)),
    };
    let mut text = String::new();
    for file in layouts.files() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{file}");
    }
    for (key, file) in words.keys() {
        let _ = writeln!(text, "{key:<28} {file}");
    }
    print(&text)
}

fn check(files: &Files) -> Result<Exit, Failure> {
    match templates::check(files.dir.as_deref(), &files.locales) {
        Ok(Checked { layouts, pages, locales }) => print(&format!(
            "{layouts} layouts and {pages} templates of pages in {locales} locales, no mistakes\n"
        )),
        Err(mistakes) => Ok(report(&mistakes)),
    }
}

async fn preview(arguments: Preview) -> Result<Exit, Failure> {
    let Preview { listen, folder, locales } = arguments;
    if !listen.ip().is_loopback() {
        let what = format!(
            "{listen} can be reached from other machines, and the page is open to whoever reaches it"
        );
        return Err(Failure::new(what, "choose a port of 127.0.0.1; `ssh -L` brings it elsewhere"));
    }
    if let Some(folder) = folder.as_ref().filter(|folder| !folder.is_dir()) {
        let what = format!("{} is no folder", folder.display());
        return Err(Failure::new(what, "make it, or leave --templates out to see the shipped templates"));
    }
    let log = ops::Settings { format: ops::Format::Text, filter: "warn".to_owned() };
    ops::start_log(&log, std::io::stderr).map_err(|error| Failure::new(error, ""))?;
    let followed = folder.as_ref().map_or_else(
        || "the shipped templates; --templates FOLDER shows your own and follows them".to_owned(),
        |folder| format!("{}; a template shows when it is saved", folder.display()),
    );
    let preview = app::Preview::open(listen, folder, &locales).await.map_err(|error| failed(&error))?;
    let mistakes = preview.mistakes();
    if !mistakes.is_empty() {
        report(&mistakes);
    }
    let address = preview.address();
    print(&format!("open        http://{address}/cards\ntemplates   {followed}\n"))?;
    let stop = CancellationToken::new();
    signals::stopping(&stop, Box::pin(preview.run(stop.clone()))).await;
    Ok(Exit::Good)
}

/// Mistakes are what was asked for: they are printed, and the exit status says that there are some.
fn report(mistakes: &[Mistake]) -> Exit {
    note(&lines(mistakes));
    Exit::Found
}
