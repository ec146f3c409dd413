//! All collections and the aliases they have.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::{AliasDescription, AliasOperations, CreateCollection};
use tonic::Status;

use crate::collection::Collection;
use crate::status::{no_collection, wrong_input};

/// Finds collections by name or alias. They are there until they are deleted, whether the server runs or not.
#[derive(Default)]
pub(crate) struct Catalogue {
    names: RwLock<Names>,
}

#[derive(Default)]
struct Names {
    collections: BTreeMap<String, Arc<Collection>>,
    /// Names of collections, by alias.
    aliases: BTreeMap<String, String>,
}

impl Catalogue {
    pub(crate) fn create(&self, asked: CreateCollection) -> Result<(), Status> {
        let name = asked.collection_name.clone();
        let mut names = self.names.write();
        names.check_free(&name)?;
        if names.aliases.contains_key(&name) {
            return Err(wrong_input(format_args!(
                "Can't create collection with name {name}. Alias with the same name already exists"
            )));
        }
        names.collections.insert(name, Arc::new(Collection::create(asked)?));
        Ok(())
    }

    /// The collection of that name or alias.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<Collection>, Status> {
        let names = self.names.read();
        let real_name = names.aliases.get(name).map_or(name, String::as_str);
        let found = names.collections.get(real_name).cloned();
        found.ok_or_else(|| no_collection(name))
    }

    /// Removes the collection of that name with all its aliases; whether there was one.
    pub(crate) fn delete(&self, name: &str) -> bool {
        let mut names = self.names.write();
        names.aliases.retain(|_, collection| collection != name);
        let removed = names.collections.remove(name);
        drop(names);
        removed.is_some()
    }

    /// Removes everything.
    pub(crate) fn clear(&self) {
        let _removed = std::mem::take(&mut *self.names.write());
    }

    /// Names of all collections, sorted.
    pub(crate) fn collections(&self) -> Vec<String> {
        self.names.read().collections.keys().cloned().collect()
    }

    /// All aliases, sorted.
    pub(crate) fn aliases(&self) -> Vec<AliasDescription> {
        let names = self.names.read();
        let aliases = names.aliases.iter().map(|(alias, collection)| AliasDescription {
            alias_name: alias.clone(),
            collection_name: collection.clone(),
        });
        aliases.collect()
    }

    /// Changes aliases, one after the other, unseen until all are done. One that cannot be done ends it, and those
    /// before it stay done, as on the real server.
    pub(crate) fn change_aliases(&self, actions: Vec<AliasOperations>) -> Result<(), Status> {
        let mut names = self.names.write();
        actions
            .into_iter()
            .try_for_each(|operation| names.change_alias(operation))
    }
}

impl Names {
    fn change_alias(&mut self, operation: AliasOperations) -> Result<(), Status> {
        match operation.action {
            Some(Action::CreateAlias(asked)) => {
                if !self.collections.contains_key(&asked.collection_name) {
                    return Err(no_collection(&asked.collection_name));
                }
                self.check_free(&asked.alias_name)?;
                self.aliases.insert(asked.alias_name, asked.collection_name);
            }
            Some(Action::DeleteAlias(asked)) => {
                self.aliases.remove(&asked.alias_name);
            }
            Some(Action::RenameAlias(asked)) => {
                let old = asked.old_alias_name;
                let Some(collection) = self.aliases.remove(&old) else {
                    return Err(Status::not_found(format!("Not found: Alias {old} does not exists!")));
                };
                self.aliases.insert(asked.new_alias_name, collection);
            }
            None => return Err(Status::invalid_argument("Malformed AliasOperation type")),
        }
        Ok(())
    }

    /// Refuses names that collections have.
    fn check_free(&self, name: &str) -> Result<(), Status> {
        match self.collections.contains_key(name) {
            true => Err(Status::already_exists(format!(
                "Wrong input: Collection `{name}` already exists!"
            ))),
            false => Ok(()),
        }
    }
}
