//! Administrators who are no superusers: they configure, and get neither files, keys nor networks of the server by it.

use crate::attacks::attempt;
use crate::den::shop;

#[test]
fn a_deputy_cannot_turn_providers_into_a_way_to_files_and_networks() {
    let (cluster, mut client) = shop("collection");
    client.run("create role deputy login; select vb_grant_access('deputy', NULL, 'admin')");
    let mut deputy = cluster.connect_as("shop", "deputy");
    let set = |arguments: &str| {
        format!(
            "select vb_set_provider('evil', kind => 'openai_compatible', model => 'm', dimensions => 4, {arguments})"
        )
    };
    let mut wrong = Vec::new();
    for arguments in [
        "endpoint => 'http://example.com'",
        "endpoint => 'https://169.254.169.254/latest/meta-data'",
        "endpoint => 'https://[fe80::1]/'",
        "endpoint => 'https://[::ffff:169.254.169.254]/'",
        "endpoint => 'https://2852039166/'",
        "endpoint => 'https://0xa9fea9fe/'",
        "endpoint => 'https://127.0.0.1:5432/'",
        "endpoint => 'https://10.0.0.8/'",
        "endpoint => 'https://[::1]/'",
        "endpoint => 'https://[fd00::1]/'",
        "endpoint => 'https://0.0.0.0/'",
        "endpoint => 'https://user:word@example.com/'",
        "endpoint => 'file:///etc/passwd'",
        "endpoint => 'unix:///var/run/postgresql/.s.PGSQL.5432'",
        "endpoint => 'gopher://example.com/'",
        "endpoint => 'https://'",
        "endpoint => 'https://example.com', api_key_ref => 'sk-this-is-a-key'",
        "endpoint => 'https://example.com', api_key_ref => 'file:etc/passwd'",
        "endpoint => 'https://example.com', api_key_ref => 'http://example.com/key'",
        r#"endpoint => 'https://example.com', options => '{"headers": {"x-a": "b\r\nauthorization: c"}}'"#,
        r#"endpoint => 'https://example.com', options => '{"headers": {"host": "other"}}'"#,
        r#"endpoint => 'https://example.com', options => '{"unheard": 1}'"#,
    ] {
        let (result, told) = attempt(&mut deputy, &set(arguments));
        if result != Err("22023".to_owned()) || told.contains("sk-this") {
            wrong.push(format!("{arguments}\n    was {result:?} {told}"));
        }
    }
    // Keys of the server are not the deputy's to send anywhere, before somebody lets him read them.
    client.run("select vb_set_provider('keyed', kind => 'openai', model => 'm', dimensions => 4, endpoint => 'https://example.com', api_key_ref => 'env:KEY')");
    for attempt in [
        set("endpoint => 'https://example.com', api_key_ref => 'env:PATH'"),
        set(r#"endpoint => 'https://example.com', options => '{"headers": {"x-api-key": "env:PATH"}}'"#),
        set(r#"endpoint => 'https://example.com', options => '{"ca_file": "/etc/passwd"}'"#),
        "select vb_set_provider('keyed', endpoint => 'https://mallory.example.com')".to_owned(),
        r#"select vb_set_provider('keyed', options => '{"local": true}')"#.to_owned(),
    ] {
        let error = deputy.error(&attempt, &[]);
        if error.code != "42501" {
            wrong.push(format!("{attempt}\n    was {error}"));
        }
    }
    deputy.run("select vb_set_provider('keyed', requests_per_minute => 10)");
    client.run("grant pg_read_server_files to deputy");
    // What only shows when it is read: never the content.
    for reference in [
        "file:/etc/passwd",
        "file:/proc/self/environ",
        "file:/dev/zero",
        "file:/etc/../etc/shadow",
        "file:/etc",
    ] {
        let arguments = format!("endpoint => 'https://example.com', api_key_ref => '{reference}'");
        deputy.run(&set(&arguments));
        let row = deputy.row("select * from vb_check_provider('evil')", &[]);
        let detail: String = row.get("detail");
        if row.get::<bool>("ok") || detail.contains("root:") {
            wrong.push(format!("{reference}\n    was {detail}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!cluster.log().contains("sk-this-is-a-key"), "a key is in the log");
}
