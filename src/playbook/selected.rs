//! A group of facts with only those fields that a condition names: turning a whole group into values of CEL costs
//! more than the condition itself.

use std::collections::HashMap;
use std::fmt;

use cel::Value;
use serde::Serialize;
use serde::ser::{Error as _, Impossible, SerializeMap, SerializeStruct, Serializer};

/// Something that is not a group of named fields, or has a field that CEL cannot hold.
#[derive(Debug)]
pub(super) struct NotSelectable(String);

impl fmt::Display for NotSelectable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotSelectable {}

impl serde::ser::Error for NotSelectable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// The named fields of a struct or a map. What it does not have is left out, as in the whole.
pub(super) fn selected<T: Serialize>(group: &T, wanted: &[String]) -> Result<Value, NotSelectable> {
    group.serialize(Fields { wanted, found: HashMap::with_capacity(wanted.len()), key: None }).map(Value::from)
}

struct Fields<'w> {
    wanted: &'w [String],
    found: HashMap<String, Value>,
    /// Of a map: the key whose value comes next.
    key: Option<String>,
}

impl Fields<'_> {
    fn take<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), NotSelectable> {
        if self.wanted.iter().any(|wanted| wanted == name) {
            self.found.insert(name.to_owned(), cel::to_value(value).map_err(NotSelectable::custom)?);
        }
        Ok(())
    }
}

impl SerializeStruct for Fields<'_> {
    type Ok = HashMap<String, Value>;
    type Error = NotSelectable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), NotSelectable> {
        self.take(name, value)
    }

    fn end(self) -> Result<Self::Ok, NotSelectable> {
        Ok(self.found)
    }
}

impl SerializeMap for Fields<'_> {
    type Ok = HashMap<String, Value>;
    type Error = NotSelectable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotSelectable> {
        match cel::to_value(key).map_err(NotSelectable::custom)? {
            Value::String(key) => self.key = Some(key.to_string()),
            _ => return Err(NotSelectable::custom("keys are names")),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotSelectable> {
        let key = self.key.take().unwrap_or_default();
        self.take(&key, value)
    }

    fn end(self) -> Result<Self::Ok, NotSelectable> {
        Ok(self.found)
    }
}

/// What is not a group has no fields to select.
macro_rules! refuse {
    ($($method:ident: $kind:ty,)*) => {
        $(fn $method(self, _: $kind) -> Result<Self::Ok, NotSelectable> {
            Err(NotSelectable::custom("not a group of facts"))
        })*
    };
}

impl Serializer for Fields<'_> {
    type Ok = HashMap<String, Value>;
    type Error = NotSelectable;
    type SerializeStruct = Self;
    type SerializeMap = Self;
    type SerializeSeq = Impossible<Self::Ok, NotSelectable>;
    type SerializeTuple = Impossible<Self::Ok, NotSelectable>;
    type SerializeTupleStruct = Impossible<Self::Ok, NotSelectable>;
    type SerializeTupleVariant = Impossible<Self::Ok, NotSelectable>;
    type SerializeStructVariant = Impossible<Self::Ok, NotSelectable>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotSelectable> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, NotSelectable> {
        Ok(self)
    }

    refuse! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Result<Self::Ok, NotSelectable> {
        Err(NotSelectable::custom("not a group of facts"))
    }

    fn serialize_unit(self) -> Result<Self::Ok, NotSelectable> {
        self.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, NotSelectable> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<Self::Ok, NotSelectable> {
        self.serialize_none()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Self::Ok, NotSelectable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Self::Ok, NotSelectable> {
        self.serialize_none()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NotSelectable> {
        Err(NotSelectable::custom("not a group of facts"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, NotSelectable> {
        Err(NotSelectable::custom("not a group of facts"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, NotSelectable> {
        Err(NotSelectable::custom("not a group of facts"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NotSelectable> {
        Err(NotSelectable::custom("not a group of facts"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NotSelectable> {
        Err(NotSelectable::custom("not a group of facts"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::facts::Facts;

    #[test]
    fn only_the_named_fields_are_turned_into_values() {
        let mut facts = Facts::default();
        facts.container.restarts = 3;
        facts.container.exit_code = 137;
        let wanted = ["restarts".to_owned(), "exitCode".to_owned()];
        let expected: HashMap<String, Value> =
            HashMap::from([("restarts".to_owned(), Value::Int(3)), ("exitCode".to_owned(), Value::Int(137))]);
        assert_eq!(selected(&facts.container, &wanted).unwrap(), Value::from(expected));
    }

    #[test]
    fn what_has_no_fields_is_refused() {
        assert!(selected(&"a text", &[]).is_err());
        assert!(selected(&[1, 2], &[]).is_err());
    }

    #[test]
    fn a_key_that_is_not_there_is_left_out() {
        let captures = std::collections::BTreeMap::from([("image".to_owned(), "nginx".to_owned())]);
        let found = selected(&captures, &["image".to_owned(), "tag".to_owned()]).unwrap();
        assert_eq!(found, Value::from(HashMap::from([("image".to_owned(), Value::from("nginx"))])));
    }
}
