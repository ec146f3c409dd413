//! What the vector store holds, asked of the worker's own service and not of the extension's tables.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::PathBuf;

use uuid::Uuid;
use vb_engine::point::PointKey;
use vb_engine::service::client::Client as ServiceClient;
use vb_engine::service::protocol::{Answer, Request};
use vb_engine::store::place::{Place, StoreKind};
use vb_engine::store::share::Share;

use crate::client::Client;
use crate::cluster::{Cluster, Stop};
use crate::server_user::acting;
use crate::wait;

/// Ids asked for at a time; small, so that paging is used.
const PAGE: usize = 700;

/// The store of one database.
#[derive(Debug, Clone)]
pub struct Store {
    socket: PathBuf,
    kind: StoreKind,
}

impl Store {
    /// The store of the database that the client is in.
    pub fn of(cluster: &Cluster, client: &mut Client) -> Self {
        let oid: u32 = client.value("select oid from pg_database where datname = current_database()", &[]);
        Self {
            socket: cluster
                .data()
                .join(format!("vector_backfill/pgsql_tmp_{oid}/service.sock")),
            kind: cluster.store_kind(),
        }
    }

    /// Where the worker listens.
    pub fn socket(&self) -> &PathBuf {
        &self.socket
    }

    fn ask(&self, request: &Request) -> Answer {
        acting(|| {
            // A worker that has just started does not listen yet.
            let mut service = wait::until("the search service", || ServiceClient::connect(&self.socket).ok());
            match service.call::<Infallible>(request, &mut || Ok(())) {
                Ok(answer) => answer,
                Err(error) => panic!("{request:?} failed: {error}"),
            }
        })
    }

    /// Loses everything, as after a restore: the embedded store is in no base backup, and a server is backed up at other
    /// times. The server crashes with it, so sessions end.
    pub fn lose(&self, cluster: &mut Cluster, collections: &[String]) {
        cluster.stop(Stop::Immediate);
        match self.kind {
            StoreKind::Embedded => std::fs::remove_dir_all(self.socket.with_file_name("collections"))
                .expect("the folder of the collections can be removed"),
            StoreKind::Qdrant => cluster.qdrant().remove(collections),
        }
        cluster.launch();
    }

    /// Removes points, as somebody else would.
    pub fn delete(&self, collection: &str, points: &[Uuid]) {
        let request = Request::Delete {
            place: Place::whole(self.kind, collection),
            keys: points.iter().copied().map(PointKey::Id).collect(),
        };
        assert_eq!(self.ask(&request), Answer::Done);
    }

    /// Removes a collection, as somebody else would.
    pub fn remove(&self, collection: &str) {
        let request = Request::Remove {
            place: Place::whole(self.kind, collection),
        };
        assert_eq!(self.ask(&request), Answer::Done);
    }

    /// Copies all points of a collection to another one, as a backup of the store does and as bringing it back does.
    pub fn copy(&self, from: &str, to: &str, dimensions: usize) {
        let request = Request::Copy {
            from: Place::whole(self.kind, from),
            to: Place::whole(self.kind, to),
            dimensions,
            fields: Vec::new(),
            exact: true,
            after: None,
            limit: 10_000,
        };
        assert!(matches!(self.ask(&request), Answer::Copied { last: None, .. }));
    }

    /// How many points a collection has; 0 when it does not exist.
    pub fn count(&self, collection: &str) -> usize {
        match self.ask(&Request::Count {
            place: Place::whole(self.kind, collection),
        }) {
            Answer::Count(count) => usize::try_from(count).expect("a count fits"),
            other => panic!("a count was expected, not {other:?}"),
        }
    }

    /// All points of a collection, of one client only where several share it, each with what it is made from, as text.
    pub fn described_points(&self, collection: &str, client_id: Option<i64>) -> Vec<String> {
        let mut points = Vec::new();
        let mut after = None;
        loop {
            let request = Request::Points {
                place: Place {
                    store: self.kind,
                    share: Share {
                        collection: collection.to_owned(),
                        client_id,
                    },
                },
                after: after.take(),
                limit: PAGE,
            };
            let page = match self.ask(&request) {
                Answer::Points(page) => page,
                other => panic!("points were expected, not {other:?}"),
            };
            let complete = page.len() < PAGE;
            after = page.last().map(|point| point.key);
            points.extend(page.iter().map(|point| format!("{point:?}")));
            if complete {
                return points;
            }
        }
    }

    /// All point ids of a collection.
    pub fn points(&self, collection: &str) -> BTreeSet<Uuid> {
        let mut points: BTreeSet<Uuid> = BTreeSet::new();
        loop {
            let after = points.last().copied();
            let request = Request::Points {
                place: Place::whole(self.kind, collection),
                after: after.map(PointKey::Id),
                limit: PAGE,
            };
            let page = match self.ask(&request) {
                Answer::Points(page) => page,
                other => panic!("points were expected, not {other:?}"),
            };
            let complete = page.len() < PAGE;
            let before = points.len();
            let received = page.len();
            points.extend(page.into_iter().map(|point| id_of(point.key)));
            assert_eq!(
                points.len(),
                before + received,
                "a page repeats ids of the pages before it"
            );
            if complete {
                return points;
            }
        }
    }
}

fn id_of(key: PointKey) -> Uuid {
    match key {
        PointKey::Id(id) => id,
        PointKey::Number(number) => panic!("point {number} is not one of ours"),
    }
}
