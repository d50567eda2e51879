//! The nearest of some names, for "did you mean". Bounded in length and distance.

const LONGEST: usize = 253;

/// The candidate nearest to `wanted`, if one is near enough to be a slip.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != wanted)
        .filter_map(|candidate| Some((score(wanted, candidate, allowed)?, candidate)))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Smaller is nearer; `None` is too far. A name that contains the other counts as one slip.
fn score(wanted: &str, candidate: &str, allowed: usize) -> Option<usize> {
    if wanted.len() > LONGEST || candidate.len() > LONGEST {
        return None;
    }
    let contained = wanted.len() >= 4
        && candidate.len() >= 4
        && (candidate.contains(wanted) || wanted.contains(candidate));
    let distance = distance(wanted, candidate);
    (contained || distance <= allowed).then_some(distance)
}

/// Edits (insert, delete, replace, swap of neighbours) from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name() {
        assert_eq!(nearest("databse", ["cache", "database"]), Some("database"));
        assert_eq!(nearest("app.yml", ["app.yaml", "log.xml"]), Some("app.yaml"));
        assert_eq!(nearest("checkout-config", ["checkout-config-v2", "root"]), Some("checkout-config-v2"));
    }

    #[test]
    fn something_else_is_not_offered() {
        assert_eq!(nearest("db-credentials", ["default-token", "tls"]), None);
    }
}
