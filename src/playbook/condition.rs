//! Conditions in CEL: compiled once, bounded before they run.
//!
//! CEL has no limit of its own, so nothing is admitted whose cost could grow beyond one walk of a bounded
//! list: expressions are short, and a comprehension never holds another.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, Program, Value};

use super::facts::{CAPTURES, NAMES};
use super::known::Known;
use super::nearest::nearest;

/// The longest expression, in bytes.
const LONGEST: usize = 1_000;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A compiled condition.
#[derive(Debug)]
pub(super) struct Condition {
    program: Program,
    /// Whether it looks at what was captured.
    captures: bool,
}

impl Condition {
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a condition is at most {LONGEST} bytes long, this one has {}", text.len()));
        }
        let program = Program::compile(text).map_err(|error| format!("not a CEL expression: {error}"))?;
        no_nested_comprehension(program.expression(), Within::Nothing)?;
        let mut names: Vec<String> =
            program.references().variables().into_iter().map(str::to_owned).collect();
        names.sort();
        if let Some(unknown) =
            names.iter().find(|name| name.starts_with(char::is_alphabetic) && !known(name, &program))
        {
            let hint = nearest(unknown, NAMES.iter().copied())
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(format!("there is no fact named `{unknown}`{hint}"));
        }
        let captures = names.iter().any(|name| name == CAPTURES);
        Ok(Self { program, captures })
    }

    /// Whether it holds. The error is for the linter: at run time what cannot be evaluated does not hold.
    pub(super) fn holds(
        &self,
        known: &Known<'_>,
        captures: &BTreeMap<String, String>,
    ) -> Result<bool, String> {
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(known);
        if self.captures {
            let captures = cel::to_value(captures).map_err(|error| error.to_string())?;
            context.add_variable_from_value(CAPTURES, captures);
        }
        match self.program.execute(&context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => {
                Err(format!("a condition gives true or false, this one gives {:?}", other.type_of()))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Names of facts, and the variables that comprehensions introduce.
fn known(name: &str, program: &Program) -> bool {
    NAMES.contains(&name) || introduced(program.expression(), name)
}

fn introduced(expr: &IdedExpr, name: &str) -> bool {
    if let Expr::Comprehension(inner) = &expr.expr
        && (inner.iter_var == name || inner.iter_var2.as_deref() == Some(name) || inner.accu_var == name)
    {
        return true;
    }
    children(expr).into_iter().any(|child| introduced(child, name))
}

#[derive(Clone, Copy)]
enum Within {
    Nothing,
    Comprehension,
}

fn no_nested_comprehension(expr: &IdedExpr, within: Within) -> Result<(), String> {
    let mut inside = within;
    if matches!(expr.expr, Expr::Comprehension(_)) {
        if matches!(within, Within::Comprehension) {
            return Err("one `exists`, `all`, `map` or `filter` inside another is not allowed".to_owned());
        }
        inside = Within::Comprehension;
    }
    children(expr).into_iter().try_for_each(|child| no_nested_comprehension(child, inside))
}

fn children(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).collect(),
        Expr::Comprehension(inner) => {
            vec![&inner.iter_range, &inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_children(&entry.expr)).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(|entry| entry_children(&entry.expr)).collect(),
        Expr::Select(select) => vec![&select.operand],
    }
}

fn entry_children(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::Facts;

    #[test]
    fn a_condition_sees_the_facts() {
        let mut facts = Facts::default();
        facts.image.coverage = "none".into();
        facts.container.restarts = 3;
        let condition = Condition::compile("image.coverage == 'none' && container.restarts >= 3").unwrap();
        assert_eq!(condition.holds(&Known::new(&facts), &facts.captures), Ok(true));
    }

    #[test]
    fn comprehensions_do_not_nest() {
        assert!(Condition::compile("missing.exists(m, m.kind == 'Secret')").is_ok());
        let nested = "pod.reasons.exists(a, pod.reasons.exists(b, a == b))";
        assert!(Condition::compile(nested).unwrap_err().contains("inside another"));
    }

    #[test]
    fn a_misspelt_fact_is_named() {
        assert!(Condition::compile("contaner.ready").unwrap_err().contains("did you mean `container`"));
    }

    #[test]
    fn long_expressions_are_refused() {
        assert!(Condition::compile(&"true || ".repeat(200)).is_err());
    }
}
