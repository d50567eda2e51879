//! Targets beside what was measured. A target missed is said; one missed by far ends the run as failed.
//!
//! By far means by more than a factor of two: shared machines differ that much from minute to minute. Counts
//! (pods, incidents, things lost) have no tolerance.

use std::process::ExitCode;

/// What is judged so far.
#[derive(Default)]
pub(crate) struct Judge {
    rows: Vec<[String; 4]>,
    failed: bool,
}

/// How much a measured figure may differ before the run fails.
const FAR: f64 = 2.0;

impl Judge {
    /// No less than that is wanted.
    pub(crate) fn at_least(&mut self, what: &str, target: f64, measured: f64) {
        self.speed(what, format!("≥ {target:.0}"), measured, measured >= target, measured * FAR >= target);
    }

    /// No more than that is wanted.
    pub(crate) fn at_most(&mut self, what: &str, target: f64, measured: f64) {
        self.speed(what, format!("≤ {target:.1}"), measured, measured <= target, measured <= target * FAR);
    }

    /// A count that must be right.
    pub(crate) fn count(&mut self, what: &str, target: String, measured: usize, right: bool) {
        self.row(what, target, measured.to_string(), right, right);
    }

    fn speed(&mut self, what: &str, target: String, measured: f64, met: bool, near: bool) {
        let figure = if measured >= 100.0 { format!("{measured:.0}") } else { format!("{measured:.2}") };
        self.row(what, target, figure, met, near && measured.is_finite());
    }

    fn row(&mut self, what: &str, target: String, measured: String, met: bool, near: bool) {
        let verdict = match (met, near) {
            (true, _) => "met",
            (false, true) => "missed",
            (false, false) => "missed by far",
        };
        self.failed |= verdict == "missed by far";
        self.rows.push([what.to_owned(), target, measured, verdict.to_owned()]);
    }

    /// Prints the verdicts; the exit status of the run.
    pub(crate) fn conclude(self) -> ExitCode {
        println!("\n| target | wanted | measured | verdict |\n|---|---|---|---|");
        for [what, target, measured, verdict] in &self.rows {
            println!("| {what} | {target} | {measured} | {verdict} |");
        }
        println!(
            "\nThe run fails if a figure misses its target by more than a factor of {FAR}, or a count is wrong."
        );
        if self.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}
