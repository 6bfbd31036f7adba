//! `/snapshot` and `/sync/digest`: a copy begins, follows, and comes to the server's digest.

use std::collections::BTreeMap;

use rstest::rstest;
use samverkan::access::Permission::{ParticipationRead, RegistryRead, SyncRead};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::rows::{add, district, partner};
use crate::support::{Caller, TestApp};

/// A copy as a client keeps it, by kind and key.
#[derive(Default)]
struct Copy {
    rows: BTreeMap<(String, String), Value>,
    cursor: String,
}

impl Copy {
    fn store(&mut self, item: &Value) {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        let place = (text("type"), text("key"));
        if item["data"].is_null() {
            self.rows.remove(&place);
        } else {
            assert_eq!(item["data"]["version"], item["version"]);
            self.rows.insert(place, item["data"].clone());
        }
    }

    /// The pages of a snapshot; `between` happens after the first.
    async fn begin(caller: &Caller, limit: u32, between: impl AsyncFn()) -> Self {
        let (mut copy, mut cursor) = (Self::default(), String::new());
        loop {
            let page = caller
                .get(&format!("/snapshot?limit={limit}&cursor={cursor}"))
                .await;
            let page = page.expect(200);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= usize::try_from(limit).unwrap());
            for item in items {
                copy.store(item);
            }
            let feed = page["feedCursor"].as_str().unwrap();
            assert!(
                copy.cursor.is_empty() || copy.cursor == feed,
                "the first page fixes it"
            );
            if copy.cursor.is_empty() {
                feed.clone_into(&mut copy.cursor);
                between().await;
            }
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return copy,
            }
        }
    }

    async fn follow(&mut self, caller: &Caller) {
        loop {
            let page = caller
                .get(&format!("/changes?limit=7&cursor={}", self.cursor))
                .await;
            let page = page.expect(200);
            for item in page["items"].as_array().unwrap() {
                self.store(item);
            }
            page["nextCursor"]
                .as_str()
                .unwrap()
                .clone_into(&mut self.cursor);
            if page["hasMore"] == false {
                return;
            }
        }
    }

    /// Rows and digest of a kind, as docs/SYNC.md says how to count them.
    fn digest(&self, of: &str) -> (u64, String) {
        let (mut rows, mut all) = (0, 0);
        for ((kind, key), row) in &self.rows {
            if kind == of {
                let hash = Sha256::digest(format!("{key}:{}", row["version"]));
                all ^= u64::from_be_bytes(hash[..8].try_into().unwrap());
                rows += 1;
            }
        }
        (rows, format!("{all:016x}"))
    }

    /// Whether every kind comes to the server's digest.
    async fn agrees(&self, caller: &Caller) -> bool {
        let path = format!("/sync/digest?cursor={}", self.cursor);
        let server = caller.get(&path).await.expect(200);
        assert_eq!(server["upToDate"], true);
        server["types"].as_array().unwrap().iter().all(|kind| {
            let (rows, digest) = self.digest(kind["type"].as_str().unwrap());
            kind["rows"] == rows && kind["digest"] == digest
        })
    }
}

#[actix_web::test]
async fn a_copy_that_began_while_rows_changed_ends_with_the_servers_digest() {
    let app = TestApp::start().await;
    samverkan::demo::load_reference(&app.state.db)
        .await
        .unwrap();
    assert!(samverkan::demo::load_if_empty(&app.state.db).await.unwrap() > 300);
    let admin = app.admin();
    let mut paths = Vec::new();
    for n in 0..9 {
        let state = if n % 3 == 0 { "draft" } else { "published" };
        let more = json!({"state": state, "area": if n % 2 == 0 { "1880" } else { "1480" }});
        paths.push(add(&admin, "/partners", partner(&format!("Rad {n}"), more)).await);
    }
    let change = async || {
        add(&admin, "/districts", district("1880_nytt", json!({}))).await;
        add(&admin, "/partners", partner("Ny", json!({}))).await;
        for (path, body) in [
            (&paths[0], json!({"area": "1480"})),
            (&paths[1], json!({"state": "draft"})),
            (&paths[2], json!({"name": "Annan"})),
        ] {
            assert_eq!(admin.patch(path, "*", &body).await.status, 200);
        }
        admin.delete(&paths[4], "*").await.expect(204);
    };
    let mut reference = None;
    for areas in [&["SE"][..], &["18"], &["14", "0980"]] {
        let caller = app.caller(&[SyncRead, RegistryRead, ParticipationRead], areas);
        let first = reference.is_none();
        let mut copy = Copy::begin(&caller, if first { 3 } else { 1000 }, async || {
            if first {
                change().await;
            }
        })
        .await;
        if first {
            let early = caller
                .get(&format!("/sync/digest?cursor={}", copy.cursor))
                .await;
            assert_eq!(early.expect(200)["upToDate"], false);
        }
        copy.follow(&caller).await;
        assert!(copy.agrees(&caller).await, "{areas:?}");
        // One that began with nothing and read the whole feed is the same.
        let mut other = Copy::default();
        other.follow(&caller).await;
        assert_eq!(other.rows, copy.rows, "{areas:?}");
        if first {
            assert!(copy.rows.len() > 300, "{}", copy.rows.len());
            let place = copy.rows.keys().next().unwrap().clone();
            copy.rows.remove(&place);
            assert!(!copy.agrees(&caller).await, "a lost row is noticed");
            reference = Some(copy.rows.len());
        }
    }
}

#[rstest]
#[case("/snapshot?cursor=nonsense", "invalid_cursor")]
#[case("/snapshot?limit=0", "out_of_range")]
#[case("/snapshot?types=partner", "invalid_value")]
#[case("/sync/digest?cursor=nonsense", "invalid_cursor")]
#[case("/sync/digest?type=partners", "unknown_parameter")]
#[actix_web::test]
async fn what_cannot_be_copied_is_refused_by_its_name(#[case] path: &str, #[case] code: &str) {
    let app = TestApp::start().await;
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    assert_eq!(caller.get(path).await.problem(400).1, code);
}

#[actix_web::test]
async fn the_cursor_of_a_snapshot_belongs_to_its_client_and_types() {
    let app = TestApp::start().await;
    for name in ["A", "B"] {
        add(&app.admin(), "/partners", partner(name, json!({}))).await;
    }
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let page = caller
        .get("/snapshot?limit=1&types=partners")
        .await
        .expect(200);
    let cursor = page["nextCursor"].as_str().unwrap();
    let other = caller
        .get(&format!("/snapshot?types=projects&cursor={cursor}"))
        .await;
    assert_eq!(other.problem(410).1, "filter_changed");
    let wider = app.caller(&[SyncRead, RegistryRead], &["SE"]);
    let wider = wider
        .get(&format!("/snapshot?types=partners&cursor={cursor}"))
        .await;
    assert_eq!(wider.problem(410).1, "scope_changed");
    let feed = page["feedCursor"].as_str().unwrap();
    let digest = caller.get(&format!("/sync/digest?cursor={feed}")).await;
    assert_eq!(digest.problem(410).1, "filter_changed");
    let refused = caller.get("/snapshot?types=reports").await;
    assert_eq!(refused.problem(403).0, "insufficient-permission");
}
