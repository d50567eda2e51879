//! What a button means: an opaque, short id that names a thing and a wish, never a command.
//!
//! `k1.<wish>.<thing>[.<detail>]`. Nothing in it is trusted: the thing is looked up, the digest's first digits
//! only tell whether what was seen is still what is proposed, and the gate judges whoever pressed. It holds no
//! state, so a button pressed after a restart, or years later, means the same. Reading is total.

use crate::incident::{Digest, ExecutionId, IncidentId, ProposalId, Text};

/// The longest id that any platform takes (Discord's `custom_id`).
pub const LONGEST: usize = 100;
const FORM: &str = "k1";
const DIGITS: usize = 16;

/// What was pressed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Press {
    Approve {
        proposal: ProposalId,
        seen: Seen,
    },
    Deny {
        proposal: ProposalId,
        seen: Seen,
    },
    Withdraw {
        proposal: ProposalId,
        seen: Seen,
    },
    /// The typed confirmation of a high risk; comes with a form.
    Confirm {
        proposal: ProposalId,
        seen: Seen,
    },
    Preview {
        proposal: ProposalId,
    },
    Undo {
        execution: ExecutionId,
    },
    /// What became of a change that the cluster could not tell about.
    Settle {
        execution: ExecutionId,
        index: u32,
        applied: bool,
    },
    /// Everything about the incident.
    Show {
        incident: IncidentId,
    },
    Silence {
        incident: IncidentId,
        minutes: u32,
    },
    Unsilence {
        incident: IncidentId,
    },
    /// Silence for long, with the note that it is no problem.
    Dismiss {
        incident: IncidentId,
    },
    /// Ask for a remedy with parameters; comes with a form, or leads to one.
    Run {
        incident: IncidentId,
        remedy: Text,
    },
}

/// The first digits of the digest that somebody saw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen(String);

impl Seen {
    /// What somebody sees who looks at this digest.
    pub fn of(digest: &Digest) -> Self {
        Self(digest.as_str()[..DIGITS].to_owned())
    }

    /// Whether this is what was seen.
    pub fn is(&self, digest: &Digest) -> bool {
        digest.as_str().starts_with(&self.0)
    }
}

impl Press {
    /// The id for a button; `None` if it would be longer than platforms take, so that there is no button
    /// rather than a wrong one.
    pub fn id(&self) -> Option<String> {
        let id = match self {
            Self::Approve { proposal, seen } => format!("{FORM}.ap.{proposal}.{}", seen.0),
            Self::Deny { proposal, seen } => format!("{FORM}.dn.{proposal}.{}", seen.0),
            Self::Withdraw { proposal, seen } => format!("{FORM}.wd.{proposal}.{}", seen.0),
            Self::Confirm { proposal, seen } => format!("{FORM}.cf.{proposal}.{}", seen.0),
            Self::Preview { proposal } => format!("{FORM}.pv.{proposal}"),
            Self::Undo { execution } => format!("{FORM}.un.{execution}"),
            Self::Settle { execution, index, applied } => {
                format!("{FORM}.st.{execution}.{index}.{}", if *applied { "y" } else { "n" })
            }
            Self::Show { incident } => format!("{FORM}.sh.{incident}"),
            Self::Silence { incident, minutes } => format!("{FORM}.si.{incident}.{minutes}"),
            Self::Unsilence { incident } => format!("{FORM}.us.{incident}"),
            Self::Dismiss { incident } => format!("{FORM}.di.{incident}"),
            Self::Run { incident, remedy } => format!("{FORM}.rn.{incident}.{remedy}"),
        };
        (id.len() <= LONGEST && Self::read(&id).as_ref() == Some(self)).then_some(id)
    }

    /// What an id means; `None` for anything that kubemend did not make.
    pub fn read(id: &str) -> Option<Self> {
        if id.len() > LONGEST {
            return None;
        }
        let rest = id.strip_prefix(FORM)?.strip_prefix('.')?;
        let (wish, thing) = rest.split_once('.')?;
        match wish {
            "ap" => seen(thing).map(|(proposal, seen)| Self::Approve { proposal, seen }),
            "dn" => seen(thing).map(|(proposal, seen)| Self::Deny { proposal, seen }),
            "wd" => seen(thing).map(|(proposal, seen)| Self::Withdraw { proposal, seen }),
            "cf" => seen(thing).map(|(proposal, seen)| Self::Confirm { proposal, seen }),
            "pv" => proposal(thing).map(|proposal| Self::Preview { proposal }),
            "un" => execution(thing).map(|execution| Self::Undo { execution }),
            "st" => settle(thing),
            "sh" => incident(thing).map(|incident| Self::Show { incident }),
            "si" => {
                let (id, minutes) = thing.rsplit_once('.')?;
                Some(Self::Silence { incident: incident(id)?, minutes: number(minutes)? })
            }
            "us" => incident(thing).map(|incident| Self::Unsilence { incident }),
            "di" => incident(thing).map(|incident| Self::Dismiss { incident }),
            "rn" => {
                let (id, remedy) = thing.split_once('.')?;
                Some(Self::Run { incident: incident(id)?, remedy: name(remedy)? })
            }
            _ => None,
        }
    }
}

impl Press {
    /// The incident that it is about.
    pub fn incident(&self) -> IncidentId {
        let of = |proposal: &str| IncidentId::from(proposal.rsplit_once(".p").map_or("", |(id, _)| id));
        match self {
            Self::Approve { proposal, .. }
            | Self::Deny { proposal, .. }
            | Self::Withdraw { proposal, .. }
            | Self::Confirm { proposal, .. }
            | Self::Preview { proposal } => of(proposal.as_str()),
            Self::Undo { execution } | Self::Settle { execution, .. } => {
                of(execution.as_str().trim_start_matches("x-"))
            }
            Self::Show { incident }
            | Self::Silence { incident, .. }
            | Self::Unsilence { incident }
            | Self::Dismiss { incident }
            | Self::Run { incident, .. } => incident.clone(),
        }
    }
}

/// `i-42`.
pub fn incident(text: &str) -> Option<IncidentId> {
    number::<u64>(text.strip_prefix("i-")?).map(|_| IncidentId::from(text))
}

/// `i-42.p1`.
pub fn proposal(text: &str) -> Option<ProposalId> {
    let (id, counter) = text.rsplit_once(".p")?;
    incident(id)?;
    number::<u64>(counter).map(|_| ProposalId::from(text))
}

/// `x-i-42.p1`.
pub fn execution(text: &str) -> Option<ExecutionId> {
    proposal(text.strip_prefix("x-")?).map(|_| ExecutionId::from(text))
}

fn seen(thing: &str) -> Option<(ProposalId, Seen)> {
    let (id, digits) = thing.rsplit_once('.')?;
    let hex = digits.len() == DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    hex.then(|| Seen(digits.to_owned())).zip(proposal(id)).map(|(seen, id)| (id, seen))
}

fn settle(thing: &str) -> Option<Press> {
    let (rest, applied) = thing.rsplit_once('.')?;
    let (id, index) = rest.rsplit_once('.')?;
    let applied = match applied {
        "y" => true,
        "n" => false,
        _ => return None,
    };
    Some(Press::Settle { execution: execution(id)?, index: number(index)?, applied })
}

/// Digits as kubemend writes them: no sign, no leading zero.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let short = text == "0" || !text.starts_with('0');
    (plain && short).then(|| text.parse().ok()).flatten()
}

/// The id of a remedy.
fn name(text: &str) -> Option<Text> {
    let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then(|| Text::from(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_press() -> impl Strategy<Value = Press> {
        let pair = (1..u64::MAX, 1..u64::MAX, any::<u64>()).prop_map(|(i, p, d)| {
            let digest = Digest::of_bytes(&d.to_le_bytes());
            (ProposalId::from(format!("i-{i}.p{p}").as_str()), Seen::of(&digest))
        });
        (pair, 0..12_u8, any::<u32>(), any::<bool>(), "[a-z][a-z-]{0,20}").prop_map(
            |((proposal, seen), kind, index, applied, remedy)| {
                let execution = ExecutionId::of(&proposal);
                let incident = IncidentId::from(proposal.as_str().rsplit_once(".p").expect("made so").0);
                match kind {
                    0 => Press::Approve { proposal, seen },
                    1 => Press::Deny { proposal, seen },
                    2 => Press::Withdraw { proposal, seen },
                    3 => Press::Confirm { proposal, seen },
                    4 => Press::Preview { proposal },
                    5 => Press::Undo { execution },
                    6 => Press::Settle { execution, index, applied },
                    7 => Press::Show { incident },
                    8 => Press::Silence { incident, minutes: index },
                    9 => Press::Unsilence { incident },
                    10 => Press::Dismiss { incident },
                    _ => Press::Run { incident, remedy: remedy.as_str().into() },
                }
            },
        )
    }

    proptest! {
        #[test]
        fn every_press_is_read_back_and_short(press in any_press()) {
            let id = press.id().expect("short enough");
            prop_assert!(id.len() <= LONGEST);
            prop_assert_eq!(Press::read(&id), Some(press));
        }

        #[test]
        fn whatever_is_sent_is_read_without_harm(id in ".{0,200}") {
            let _ = Press::read(&id);
        }

        #[test]
        fn what_is_read_is_written_back_the_same(id in "k1\\.(ap|dn|pv|un|st|sh|si|us|di|rn)\\.[ixp0-9.a-f-]{0,60}") {
            if let Some(press) = Press::read(&id) {
                prop_assert_eq!(press.id(), Some(id));
            }
        }
    }

    #[test]
    fn forged_ids_mean_nothing() {
        for id in [
            "",
            "k1",
            "k1.ap.i-1.p1",
            "k1.ap.i-1.p1.0123456789ABCDEF",
            "k1.ap.i-01.p1.0123456789abcdef",
            "k1.ap.i-1.p1.0123456789abcdef0",
            "k2.sh.i-1",
            "k1.sh.i--1",
            "k1.sh.i-1; kubectl delete",
            "k1.rn.i-1.../etc",
            "k1.st.x-i-1.p1.0.maybe",
            "k1.si.i-1.99999999999",
        ] {
            assert_eq!(Press::read(id), None, "{id}");
        }
    }

    #[test]
    fn what_was_seen_is_compared_with_what_is_proposed() {
        let (one, other) = (Digest::of_bytes(b"1"), Digest::of_bytes(b"2"));
        assert!(Seen::of(&one).is(&one) && !Seen::of(&one).is(&other));
    }
}
