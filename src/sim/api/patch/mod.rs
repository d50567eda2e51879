//! Patches: JSON, merge, strategic merge and apply. Owns turning a document and a patch into the next
//! document, purely; storing and judging the result is the caller's.

pub(super) mod apply;
pub(super) mod fields;
mod strategic;

use serde_json::Value;

use super::schema::Shape;

/// A patch as it came, by its content type.
#[derive(Clone, Debug)]
pub(super) enum Patch {
    Json(Value),
    Merge(Value),
    Strategic(Value),
}

/// Why a patch cannot be applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PatchError {
    /// It is not a patch at all: 400.
    Malformed(String),
    /// It does not fit the document: 422.
    Unfit,
}

impl Patch {
    /// The document with the patch in it.
    pub(super) fn apply(&self, shape: Shape, current: &Value) -> Result<Value, PatchError> {
        let mut next = current.clone();
        match self {
            Self::Json(patch) => {
                let patch: json_patch::Patch = serde_json::from_value(patch.clone())
                    .map_err(|why| PatchError::Malformed(format!("json: {why}")))?;
                json_patch::patch(&mut next, &patch).map_err(|_| PatchError::Unfit)?;
            }
            Self::Merge(patch) => {
                map_only(patch)?;
                json_patch::merge(&mut next, patch);
            }
            Self::Strategic(patch) => {
                map_only(patch)?;
                strategic::apply(shape, &mut next, patch).map_err(PatchError::Malformed)?;
            }
        }
        Ok(next)
    }
}

fn map_only(patch: &Value) -> Result<(), PatchError> {
    if patch.is_object() {
        return Ok(());
    }
    Err(PatchError::Malformed("json: cannot unmarshal into Go value of type map[string]interface {}".into()))
}
