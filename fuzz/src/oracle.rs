//! What an edit must look like to a reader that is not the editor's.
//!
//! `serde_yaml` (a libyaml) reads the file before and after; the edit is made in its tree by the obvious few lines, and
//! both must be equal. Nothing of the editor's own proof is used.

use serde::Deserialize;
use serde_yaml::Value;

use crate::overlay::editor::edit::Edit;
use crate::overlay::editor::key_path::{KeyPath, Step};

/// Why what was made is wrong, if it is.
pub fn complaint(before: &str, after: &str, edits: &[Edit]) -> Option<String> {
    let mut expected = documents(before)?;
    // Aliases are copies here: what follows an anchor cannot be told apart.
    if before.contains('*') {
        return documents(after).is_none().then(|| "it cannot be read any more".to_owned());
    }
    for edit in edits {
        // A key that is no string here, or an item that is named by what it is, is not looked for.
        make(&mut expected, edit)?;
    }
    match documents(after) {
        None => Some("it cannot be read any more".to_owned()),
        Some(found) if found != expected => Some(format!("{found:?}\nis not\n{expected:?}")),
        Some(_) => None,
    }
}

fn documents(text: &str) -> Option<Vec<Value>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).ok()).collect()
}

fn make(documents: &mut [Value], edit: &Edit) -> Option<()> {
    match edit {
        Edit::Set { key, value } => *at(documents, key)? = Value::String(value.clone()),
        Edit::Add { parent, key, value } => {
            let mapping = at(documents, parent)?.as_mapping_mut()?;
            mapping.insert(Value::String(key.clone()), Value::String(value.clone()));
        }
        Edit::Remove { key } => {
            let Some(Step::Key(name)) = key.steps.last() else { return None };
            let mapping = at(documents, &key.parent()?)?.as_mapping_mut()?;
            mapping.shift_remove(name.as_str())?;
        }
    }
    Some(())
}

fn at<'v>(documents: &'v mut [Value], path: &KeyPath) -> Option<&'v mut Value> {
    path.steps.iter().try_fold(documents.get_mut(path.document)?, |value, step| match step {
        Step::Key(key) => value.as_mapping_mut()?.get_mut(key.as_str()),
        Step::Index(index) => value.as_sequence_mut()?.get_mut(*index),
        Step::Item { field, value: wanted } => {
            let items = value.as_sequence_mut()?.iter_mut();
            let mut found = items.filter(|item| item.get(field).and_then(Value::as_str) == Some(wanted));
            let only = found.next()?;
            found.next().is_none().then_some(only)
        }
    })
}
