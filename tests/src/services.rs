//! Embedding services over HTTP, as administrators make them known, and a table for them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use vb_provider_double::server::ProviderDouble;

use crate::agreement::{self, Expectation};
use crate::client::Client;
use crate::cluster::Cluster;
use crate::server_user::give;
use crate::store::Store;

/// A table whose rows are cheap to make.
const NOTES: &str = "create table notes (id int primary key, client_id bigint not null, content text)";

/// What has to be in the store for a client's notes.
const EXPECTED: &str = "select id::text, content from notes where client_id = ";

/// Makes the service known by that name, with whatever else the arguments of `vb_set_provider` say.
pub fn register(client: &mut Client, name: &str, service: &ProviderDouble, arguments: &str) {
    let (endpoint, dimensions) = (service.endpoint(), service.dimensions());
    client.run(&format!(
        "select vb_set_provider('{name}', kind => 'openai_compatible', model => 'test-model', dimensions => {dimensions},
             endpoint => '{endpoint}', options => '{{\"local\": true}}' {arguments})"
    ));
}

/// A file with a key that only the server's user may read; gives the reference to it.
pub fn key_file(cluster: &Cluster, name: &str, key: &str) -> String {
    let path = cluster.home().join(name);
    fs::write(&path, key).expect("a file can be made beside the data");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    give(&path);
    format!("file:{}", path.display())
}

/// Texts of notes that the service was sent.
pub fn notes_sent(service: &ProviderDouble) -> usize {
    let calls = service.calls();
    let texts = calls.iter().flat_map(|call| &call.texts);
    texts.filter(|text| text.contains(" says ")).count()
}

/// Creates the table.
pub fn create_notes(client: &mut Client) {
    client.run(NOTES);
}

/// Adds so many notes of a client, with keys from `first`.
pub fn add_notes(client: &mut Client, client_id: i64, first: i32, count: i32) {
    client.rows(
        "insert into notes
         select n, $1::bigint, 'note number ' || n || ' says ' || md5(n::text)
         from generate_series($2::int, $2::int + $3::int - 1) n",
        &[&client_id, &first, &count],
    );
    client.run("analyze notes");
}

/// Checks that notes, references and store agree about a client; gives the number of points.
pub fn assert_agreement(client: &mut Client, store: &Store, client_id: i64) -> usize {
    let rows = format!("{EXPECTED}{client_id}");
    agreement::assert_agreement(
        client,
        store,
        Expectation {
            client_id,
            source: "notes",
            vector_type: "content",
            rows: &rows,
        },
    )
}

/// Enqueues a backfill of a client's notes with a provider.
pub fn enqueue(client: &mut Client, client_id: i64, provider: &str, batch_size: i32) -> i64 {
    client.value(
        "select vb_enqueue_backfill($1::bigint, 'notes', provider => $2, batch_size => $3::int)",
        &[&client_id, &provider, &batch_size],
    )
}
