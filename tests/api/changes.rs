//! `/changes` and `/sync`: what is told to whom, in which order, and what becomes of a cursor.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use reqwest::Method;
use rstest::rstest;
use samverkan::access::Permission::{
    ContactsRead, ParticipationRead, RegistryRead, RegistryWrite, SyncRead,
};
use samverkan::db::connect::{self, Work};
use samverkan::sync::changes::{epoch, upkeep};
use samverkan::sync::types::EntityType;
use serde_json::{Value, json};

use crate::rows::{add, collaboration, district, id, partner};
use crate::support::app::moment;
use crate::support::{Caller, Reply, TestApp};

/// Someone who follows everything in these areas.
fn follower(app: &TestApp, areas: &[&str]) -> Caller {
    app.caller(&[SyncRead, RegistryRead, ParticipationRead], areas)
}

/// What is told after the cursor, page by page, and the cursor after it.
async fn follow(caller: &Caller, cursor: &str, more: &str) -> (Vec<Value>, String) {
    let mut items = Vec::new();
    let mut cursor = cursor.to_owned();
    loop {
        let page = caller.get(&format!("/changes?cursor={cursor}{more}")).await;
        let page = page.expect(200);
        items.extend(page["items"].as_array().unwrap().clone());
        page["nextCursor"].as_str().unwrap().clone_into(&mut cursor);
        if page["hasMore"] == false {
            return (items, cursor);
        }
    }
}

/// Each change as `op name-or-code version`.
fn told(items: &[Value]) -> Vec<String> {
    let told = items.iter().map(|item| {
        let data = &item["data"];
        let name = data["name"].as_str().unwrap_or("-");
        format!(
            "{} {name} {}",
            item["op"].as_str().unwrap(),
            item["version"]
        )
    });
    told.collect()
}

async fn patch(caller: &Caller, path: &str, body: Value) -> Reply {
    let reply = caller.patch(path, "*", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

async fn sql(app: &TestApp, statement: &str) {
    let mut conn = connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap();
    conn.batch_execute(statement).await.unwrap();
}

#[actix_web::test]
async fn each_row_is_told_once_at_its_newest_in_the_order_of_the_commits() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin(), follower(&app, &["18"]));
    let mut paths = Vec::new();
    for name in ["Ett", "Två", "Tre"] {
        paths.push(add(&admin, "/partners", partner(name, json!({}))).await);
    }
    patch(&admin, &paths[0], json!({"name": "Etta"})).await;
    let (all, end) = follow(&reader, "", "").await;
    assert_eq!(
        told(&all),
        ["upsert Två 1", "upsert Tre 1", "upsert Etta 2"]
    );
    let seqs: Vec<i64> = all
        .iter()
        .map(|item| item["seq"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(seqs.is_sorted_by(|one, next| one < next), "{seqs:?}");
    assert_eq!(all[2]["type"], "partners");
    assert_eq!(all[2]["key"], id(&paths[0]));
    let shown = reader.get(&paths[0]).await.expect(200);
    assert_eq!(all[2]["data"], shown, "as its own resource shows it");
    let (one_by_one, same_end) = follow(&reader, "", "&limit=1").await;
    assert_eq!(one_by_one, all);

    let (nothing, end) = follow(&reader, &end, "").await;
    assert!(nothing.is_empty() && end == same_end);
    patch(&admin, &paths[1], json!({"name": "Två"})).await;
    assert!(
        follow(&reader, &end, "").await.0.is_empty(),
        "no new version"
    );
    let double = partner("Fyra", json!({"orgNumber": "802000-0009"}));
    add(&admin, "/partners", double.clone()).await;
    assert_eq!(admin.post("/partners", &double).await.status, 409);
    admin.delete(&paths[2], "*").await.expect(204);
    let (items, _) = follow(&reader, &end, "").await;
    assert_eq!(told(&items), ["upsert Fyra 1", "delete - 2"]);
    assert_eq!(
        (&items[1]["data"], &items[1]["key"]),
        (&Value::Null, &json!(id(&paths[2])))
    );
    let (fresh, _) = follow(&reader, "", "").await;
    assert_eq!(fresh.len(), 4, "the deletion is told to beginners as well");
}

#[actix_web::test]
async fn a_row_leaves_those_who_may_not_see_it_any_more() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let (own, other) = (follower(&app, &["18"]), follower(&app, &["14"]));
    let (mut here, mut there) = (String::new(), String::new());
    let path = add(
        &admin,
        "/partners",
        partner("Utkast", json!({"state": "draft"})),
    )
    .await;
    let steps = [
        (json!({}), vec!["upsert Utkast 1"], vec![]),
        (
            json!({"state": "published"}),
            vec!["leave - 2", "upsert Utkast 2"],
            vec!["upsert Utkast 2"],
        ),
        (
            json!({"state": "draft"}),
            vec!["leave - 3", "upsert Utkast 3"],
            vec!["leave - 3"],
        ),
        (
            json!({"area": "1480"}),
            vec!["leave - 4"],
            vec!["upsert Utkast 4"],
        ),
        (json!({"name": "Nytt"}), vec![], vec!["upsert Nytt 5"]),
        (
            json!({"area": "1883"}),
            vec!["upsert Nytt 6"],
            vec!["leave - 6"],
        ),
    ];
    for (change, to_own, to_other) in steps {
        if change != json!({}) {
            patch(&admin, &path, change.clone()).await;
        }
        let (items, end) = follow(&own, &here, "").await;
        assert_eq!(told(&items), to_own, "{change} in 18");
        here = end;
        let (items, end) = follow(&other, &there, "").await;
        assert_eq!(told(&items), to_other, "{change} in 14");
        there = end;
    }
    admin.delete(&path, "*").await.expect(204);
    assert_eq!(told(&follow(&own, &here, "").await.0), ["delete - 7"]);
    assert!(follow(&other, &there, "").await.0.is_empty());
    let national = follow(&follower(&app, &["SE"]), "", "").await.0;
    assert_eq!(national.last().unwrap()["op"], "delete");
}

/// A draft of every kind is told inside its area only, as its resource says; the rest of the country gets what is public.
#[actix_web::test]
async fn the_feed_tells_what_the_resources_show() {
    let app = TestApp::start().await;
    let admin = app.admin();
    for state in ["draft", "published"] {
        let named = |name: &str| format!("{name} {state}");
        let more = || json!({"state": state});
        add(&admin, "/partners", partner(&named("Aktör"), more())).await;
        let code = format!("1880_{state}");
        add(&admin, "/districts", district(&code, more())).await;
        add(
            &admin,
            "/collaborations",
            collaboration(&named("Samverkan"), more()),
        )
        .await;
        let measure = json!({"code": format!("pupils_{state}"), "kind": "count", "unit": "persons", "labelSv": "Elever",
            "labelEn": "Pupils", "definitionSv": "E", "definitionEn": "P", "state": state});
        add(&admin, "/measures", measure).await;
        let source =
            json!({"title": named("Källa"), "publisher": "P", "area": "1880", "state": state});
        add(&admin, "/sources", source).await;
    }
    for areas in [&["18"][..], &["14"], &["SE"], &["1880"]] {
        let caller = follower(&app, areas);
        let (items, _) = follow(&caller, "", "").await;
        assert!(items.iter().all(|item| item["op"] == "upsert"), "{items:?}");
        for of in EntityType::ALL {
            let list = caller.get(&format!("/{of}?limit=100")).await.expect(200);
            let mut shown: Vec<&str> = list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(crate::rows::key)
                .collect();
            let told = items.iter().filter(|item| item["type"] == of.as_str());
            let mut told: Vec<&str> = told.map(|item| item["key"].as_str().unwrap()).collect();
            shown.sort_unstable();
            told.sort_unstable();
            assert_eq!(told, shown, "{of} in {areas:?}");
        }
    }
}

#[actix_web::test]
async fn a_report_travels_with_its_observations_and_contacts_follow_the_rights() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let measure = json!({"code": "pupils", "kind": "count", "unit": "persons", "labelSv": "Elever", "labelEn": "Pupils",
        "definitionSv": "E", "definitionEn": "P"});
    add(&admin, "/measures", measure).await;
    let source = add(
        &admin,
        "/sources",
        json!({"title": "T", "publisher": "P", "area": "1880"}),
    )
    .await;
    let report =
        json!({"source": id(&source), "area": "1880", "periodKind": "year", "period": "2025"});
    let report = add(&admin, "/reports", report).await;
    let reader = follower(&app, &["18"]);
    let (_, cursor) = follow(&reader, "", "").await;
    let rows: Vec<Value> = (1..=30)
        .map(|n| json!({"measure": "pupils", "area": "1880", "ageBand": format!("{n}-{n}"), "value": n}))
        .collect();
    let put = admin
        .put(
            &format!("{report}/observations"),
            "*",
            &json!({"observations": rows}),
        )
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    let (items, _) = follow(&reader, &cursor, "").await;
    assert_eq!(items.len(), 1, "thirty numbers are one change");
    assert_eq!(items[0]["type"], "reports");
    let observations = items[0]["data"]["observations"].as_array().unwrap();
    assert_eq!(observations.len(), 30);
    let listed = reader.get("/observations?limit=100").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap(), observations);
    let elsewhere = follow(&follower(&app, &["14"]), "", "&types=reports")
        .await
        .0;
    assert!(elsewhere.is_empty());

    let contacts = json!({"contacts": [{"role": "Ordförande", "email": "a@example.se"}]});
    add(&admin, "/partners", partner("Med kontakt", contacts)).await;
    let may = app.caller(&[SyncRead, RegistryRead, ContactsRead], &["18"]);
    let away = app.caller(&[SyncRead, RegistryRead, ContactsRead], &["14"]);
    for (caller, sees) in [(&reader, false), (&may, true), (&away, false)] {
        let (items, _) = follow(caller, "", "&types=partners").await;
        let contact = items[0]["data"]["contacts"][0]["email"].as_str();
        assert_eq!(contact, sees.then_some("a@example.se"));
    }
    add(
        &admin,
        "/collaborations",
        collaboration("Med medlem", json!({"members": [{"municipality": "1880"}]})),
    )
    .await;
    let (items, _) = follow(&reader, "", "&types=collaborations").await;
    assert_eq!(items[0]["data"]["members"][0]["municipality"], "1880");
}

#[actix_web::test]
async fn the_cursor_advances_past_what_was_not_asked_for() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let reader = follower(&app, &["18"]);
    let (none, cursor) = follow(&reader, "", "&types=projects,sources").await;
    assert!(none.is_empty());
    for name in ["A", "B"] {
        add(&admin, "/partners", partner(name, json!({}))).await;
    }
    let (none, later) = follow(&reader, &cursor, "&types=sources,projects").await;
    assert!(none.is_empty() && later != cursor);
    let (some, _) = follow(&reader, "", "&types=partners").await;
    assert_eq!(told(&some), ["upsert A 1", "upsert B 1"]);
    let other = reader
        .get(&format!("/changes?cursor={cursor}&types=partners"))
        .await;
    assert_eq!(gone(&other), "filter_changed");
    let all = reader.get(&format!("/changes?cursor={cursor}")).await;
    assert_eq!(gone(&all), "filter_changed");

    let registry = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let refused = registry.get("/changes?types=partners,reports").await;
    assert_eq!(refused.problem(403).0, "insufficient-permission");
    let (items, _) = follow(&registry, "", "").await;
    assert_eq!(items.len(), 2, "without types, all that it may read");
    let nothing = app.caller(&[SyncRead], &["18"]).get("/changes").await;
    assert_eq!(nothing.problem(403).0, "insufficient-permission");
}

/// The reason of a 410, which names the way back.
#[track_caller]
fn gone(reply: &Reply) -> String {
    let (kind, reason) = reply.problem(410);
    assert_eq!(kind, "cursor-gone");
    assert_eq!(
        reply.header("link"),
        "</samverkan/v1/snapshot>; rel=\"start\""
    );
    reason
}

#[rstest]
#[case("cursor=nonsense", "invalid_cursor")]
#[case("cursor=%C3%A5", "invalid_cursor")]
#[case("limit=0", "out_of_range")]
#[case("limit=1001", "out_of_range")]
#[case("wait=26", "out_of_range")]
#[case("wait=-1", "out_of_range")]
#[case("types=partner", "invalid_value")]
#[case("type=partners", "unknown_parameter")]
#[actix_web::test]
async fn what_cannot_be_followed_is_refused_by_its_name(#[case] query: &str, #[case] code: &str) {
    let app = TestApp::start().await;
    let reply = follower(&app, &["18"])
        .get(&format!("/changes?{query}"))
        .await;
    assert_eq!(reply.problem(400).1, code);
}

#[actix_web::test]
async fn a_client_that_may_see_other_rows_begins_anew() {
    let app = TestApp::start().await;
    let (_, cursor) = follow(&follower(&app, &["18"]), "", "").await;
    for other in [
        follower(&app, &["18", "19"]),
        follower(&app, &["1880"]),
        app.caller(&[SyncRead, RegistryRead], &["18"]),
        app.caller(
            &[SyncRead, RegistryRead, ParticipationRead, ContactsRead],
            &["18"],
        ),
    ] {
        let reply = other.get(&format!("/changes?cursor={cursor}")).await;
        assert_eq!(gone(&reply), "scope_changed");
    }
    let more = app.caller(
        &[SyncRead, RegistryRead, ParticipationRead, RegistryWrite],
        &["18"],
    );
    more.get(&format!("/changes?cursor={cursor}"))
        .await
        .expect(200);
}

/// A standby that was promoted without the last transactions: what it lacks is forgotten, its identity another.
#[actix_web::test]
async fn after_a_failover_only_those_begin_anew_who_saw_what_was_lost() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin(), follower(&app, &["18"]));
    let path = add(&admin, "/partners", partner("Kvar", json!({}))).await;
    let (_, good) = follow(&reader, "", "").await;
    let lost = add(&admin, "/partners", partner("Förlorad", json!({}))).await;
    let (_, bad) = follow(&reader, &good, "").await;
    let fail_over = format!(
        "BEGIN; SET LOCAL session_replication_role = replica;
         DELETE FROM partners WHERE id = '{0}'; DELETE FROM changes WHERE entity_key = '{0}';
         UPDATE feed_epochs SET identity = 'the server that is gone'; COMMIT",
        id(&lost)
    );
    sql(&app, &fail_over).await;
    let reply = reader.get(&format!("/changes?cursor={bad}")).await;
    assert_eq!(
        gone(&reply),
        "cursor_lost",
        "even before anybody has noticed"
    );
    epoch::begin_if_new(&app.state.db).await.unwrap();
    epoch::begin_if_new(&app.state.db).await.unwrap();
    for name in ["Ny", "Nyare"] {
        add(&admin, "/partners", partner(name, json!({}))).await;
    }
    let reply = reader.get(&format!("/changes?cursor={bad}")).await;
    assert_eq!(gone(&reply), "cursor_lost");
    let (items, _) = follow(&reader, &good, "").await;
    assert_eq!(told(&items), ["upsert Ny 1", "upsert Nyare 1"]);
    let first: i64 = items[0]["seq"].as_str().unwrap().parse().unwrap();
    assert!(
        first > 1_000_000,
        "beyond every number that was lost: {first}"
    );
    let sync = reader.get("/sync").await.expect(200);
    assert_eq!(sync["newest"], items[1]["seq"]);
    reader.get(&path).await.expect(200);
}

#[actix_web::test]
async fn old_deletions_are_removed_and_cursors_from_before_them_refused() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin(), follower(&app, &["18"]));
    let (_, before) = follow(&reader, "", "").await;
    let mut paths = Vec::new();
    for name in ["A", "B", "C", "D"] {
        paths.push(add(&admin, "/partners", partner(name, json!({}))).await);
    }
    let page = reader.get("/changes?limit=1").await.expect(200);
    let half_way = page["nextCursor"].as_str().unwrap().to_owned();
    admin.delete(&paths[1], "*").await.expect(204);
    let (_, seen) = follow(&reader, &before, "").await;
    let soon = app.state.clock.now();
    assert_eq!(upkeep::purge(&app.state.db, soon).await.unwrap(), 0);
    let later = moment("2030-01-01T00:00:00Z");
    assert_eq!(upkeep::purge(&app.state.db, later).await.unwrap(), 1);
    for old in [&before, &half_way] {
        let reply = reader.get(&format!("/changes?cursor={old}")).await;
        assert_eq!(gone(&reply), "cursor_expired");
    }
    assert!(follow(&reader, &seen, "").await.0.is_empty());
    // Whoever begins now never had what was deleted, however slowly it reads.
    let (items, _) = follow(&reader, "", "&limit=1").await;
    assert_eq!(told(&items), ["upsert A 1", "upsert C 1", "upsert D 1"]);
    let sync = reader.get("/sync").await.expect(200);
    assert_eq!(
        sync["oldest"], sync["newest"],
        "the deletion was the newest change"
    );
}

#[actix_web::test]
async fn whoever_waits_is_woken_by_a_change_and_answered_without_one() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin(), follower(&app, &["18"]));
    actix_web::rt::spawn(app.state.wake.clone().listen(Arc::clone(&app.state.db)));
    let (_, cursor) = follow(&reader, "", "").await;
    let began = Instant::now();
    let nothing = reader
        .get(&format!("/changes?cursor={cursor}&wait=1"))
        .await
        .expect(200);
    assert_eq!(
        (&nothing["items"], &nothing["hasMore"]),
        (&json!([]), &json!(false))
    );
    assert!(began.elapsed() >= Duration::from_secs(1));
    // More of them than there are connections: none holds one while it waits. The reader elsewhere sleeps on.
    let away = follower(&app, &["14"]);
    let waiting = (0..12).map(|_| reader.get_later(format!("/changes?cursor={cursor}&wait=25")));
    let mut waiting: Vec<_> = waiting.map(actix_web::rt::spawn).collect();
    let (_, other) = follow(&away, "", "").await;
    let sleeper = actix_web::rt::spawn(away.get_later(format!("/changes?cursor={other}&wait=3")));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let written = Instant::now();
    add(
        &admin,
        "/partners",
        partner("Nu", json!({"state": "draft"})),
    )
    .await;
    for reply in waiting.drain(..) {
        let page = reply.await.unwrap().expect(200);
        assert_eq!(told(page["items"].as_array().unwrap()), ["upsert Nu 1"]);
    }
    let took = written.elapsed();
    assert!(
        took < Duration::from_secs(3),
        "{took:?}: before they look again by themselves"
    );
    assert_eq!(sleeper.await.unwrap().expect(200)["items"], json!([]));
}

#[actix_web::test]
async fn whoever_waits_looks_again_when_nobody_listens_and_is_answered_when_the_service_stops() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin(), follower(&app, &["18"]));
    let (_, cursor) = follow(&reader, "", "").await;
    let waiting =
        actix_web::rt::spawn(reader.get_later(format!("/changes?cursor={cursor}&wait=25")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let written = Instant::now();
    add(&admin, "/partners", partner("Sent", json!({}))).await;
    let page = waiting.await.unwrap().expect(200);
    assert_eq!(told(page["items"].as_array().unwrap()), ["upsert Sent 1"]);
    assert!(written.elapsed() < Duration::from_secs(8));

    let cursor = page["nextCursor"].as_str().unwrap().to_owned();
    let waiting =
        actix_web::rt::spawn(reader.get_later(format!("/changes?cursor={cursor}&wait=25")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = Instant::now();
    app.state.wake.close();
    assert_eq!(waiting.await.unwrap().expect(200)["items"], json!([]));
    assert!(stopping.elapsed() < Duration::from_secs(3));
}

/// The events of a stream until there are so many, each as id and data.
async fn events(stream: &mut reqwest::Response, count: usize) -> Vec<(String, Value)> {
    let mut text = String::new();
    loop {
        let events: Vec<(String, Value)> = text
            .split_inclusive("\n\n")
            .filter(|block| block.ends_with("\n\n") && block.contains("event: change\n"))
            .map(|block| {
                let line = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .unwrap()
                };
                (
                    line("id: ").to_owned(),
                    serde_json::from_str(line("data: ")).unwrap(),
                )
            })
            .collect();
        if events.len() >= count {
            return events;
        }
        let chunk = tokio::time::timeout(Duration::from_secs(10), stream.chunk());
        let chunk = chunk.await.expect("an event").unwrap().expect("more");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[actix_web::test]
async fn a_stream_of_events_goes_on_from_the_last_event() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin(), follower(&app, &["18"]));
    actix_web::rt::spawn(app.state.wake.clone().listen(Arc::clone(&app.state.db)));
    for name in ["A", "B", "C"] {
        add(&admin, "/partners", partner(name, json!({}))).await;
    }
    let mut stream = reader
        .stream("/changes?types=partners", &[("Accept-Encoding", "gzip")])
        .await;
    let header = |name: &str| {
        stream
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(stream.status(), 200);
    assert_eq!(header("content-type").unwrap(), "text/event-stream");
    assert_eq!(
        header("content-encoding"),
        None,
        "not held back by a compressor"
    );
    let first = events(&mut stream, 3).await;
    let (pages, _) = follow(&reader, "", "&types=partners").await;
    let data: Vec<Value> = first.iter().map(|(_, data)| data.clone()).collect();
    assert_eq!(data, pages, "the items of the pages");
    let began = Instant::now();
    add(&admin, "/partners", partner("D", json!({}))).await;
    let live = events(&mut stream, 1).await;
    assert_eq!(live[0].1["data"]["name"], "D");
    assert!(began.elapsed() < Duration::from_secs(3));
    drop(stream);

    add(&admin, "/partners", partner("E", json!({}))).await;
    // Back after the second: the id of an event is a cursor like any other, and goes before the address.
    let back = [("Last-Event-ID", first[1].0.as_str())];
    let mut stream = reader
        .stream(
            &format!("/changes?types=partners&cursor={}", live[0].0),
            &back,
        )
        .await;
    let rest = events(&mut stream, 3).await;
    let names: Vec<&str> = rest
        .iter()
        .map(|(_, data)| data["data"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["C", "D", "E"]);
    let (page, _) = follow(&reader, &first[1].0, "&types=partners").await;
    assert_eq!(page.len(), 3);

    app.state.wake.close();
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        while stream.chunk().await.unwrap().is_some() {}
    });
    ended.await.expect("a stream ends when the service stops");

    let accept = [
        ("Accept", "text/event-stream"),
        ("Last-Event-ID", first[1].0.as_str()),
    ];
    let other = reader
        .send(Method::GET, "/changes?types=projects", &accept, None)
        .await;
    assert_eq!(gone(&other), "filter_changed");
    let wait = reader
        .send(Method::GET, "/changes?wait=1", &accept[..1], None)
        .await;
    assert_eq!(wait.problem(400).1, "not_supported");
    let image = reader
        .send(Method::GET, "/changes", &[("Accept", "image/png")], None)
        .await;
    assert_eq!(image.status, 406);
}

/// The token is looked at again before anything is told.
#[actix_web::test]
async fn a_stream_ends_with_the_token_it_was_asked_for_with() {
    let app = TestApp::start().await;
    let reader = follower(&app, &["18"]);
    actix_web::rt::spawn(app.state.wake.clone().listen(Arc::clone(&app.state.db)));
    let mut stream = reader.stream("/changes", &[]).await;
    add(&app.admin(), "/partners", partner("A", json!({}))).await;
    assert_eq!(events(&mut stream, 1).await.len(), 1);
    app.state
        .clock
        .set(app.state.clock.now() + chrono::TimeDelta::minutes(11));
    for name in ["B", "C"] {
        add(&app.admin(), "/partners", partner(name, json!({}))).await;
    }
    let rest = tokio::time::timeout(Duration::from_secs(10), async {
        let mut text = String::new();
        while let Some(chunk) = stream.chunk().await.unwrap() {
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        text
    });
    let rest = rest.await.expect("the stream ends");
    assert!(!rest.contains("event: change"), "{rest}");
}

#[actix_web::test]
async fn what_there_is_to_follow_is_described() {
    let app = TestApp::start().await;
    let caller = app.caller(&[SyncRead, RegistryRead], &["18"]);
    let sync = caller.get("/sync").await.expect(200);
    let types = sync["types"].as_array().unwrap();
    assert_eq!(types.len(), EntityType::ALL.len());
    for (n, of, permission, readable) in [
        (2, "partners", "registry:read", true),
        (9, "reports", "participation:read", false),
    ] {
        let export = format!("{}/samverkan/v1/exports/{of}.ndjson", app.origin);
        let expected =
            json!({"type": of, "permission": permission, "readable": readable, "export": export});
        assert_eq!(types[n], expected);
    }
    assert_eq!(
        (&sync["retentionDays"], &sync["oldest"]),
        (&json!(400), &json!("0"))
    );
    assert_eq!(sync["serverTime"], "2026-06-01T12:00:00Z");
}

#[actix_web::test]
async fn a_table_that_lost_its_trigger_is_noticed() {
    let app = TestApp::start().await;
    let unwatched = async || app.state.db.snapshot(epoch::unwatched).await.unwrap();
    assert!(unwatched().await.is_empty());
    sql(
        &app,
        "ALTER TABLE partners DISABLE TRIGGER feed; DROP TRIGGER feed ON reports",
    )
    .await;
    let at_write = "DROP TRIGGER feed ON sources; CREATE TRIGGER feed AFTER INSERT ON sources FOR EACH ROW EXECUTE FUNCTION feed_emit('sources')";
    sql(&app, at_write).await;
    assert_eq!(unwatched().await, ["partners", "sources", "reports"]);
}

#[actix_web::test]
async fn a_row_that_is_erased_is_told_as_deleted_and_a_tombstone_is_not_told_twice() {
    let app = TestApp::start().await;
    let (admin, reader) = (app.admin(), follower(&app, &["18"]));
    let erased = add(&admin, "/partners", partner("Bort", json!({}))).await;
    let buried = add(&admin, "/partners", partner("Begravd", json!({}))).await;
    admin.delete(&buried, "*").await.expect(204);
    let (_, cursor) = follow(&reader, "", "").await;
    sql(&app, "DELETE FROM partners").await;
    let (items, _) = follow(&reader, &cursor, "").await;
    assert_eq!(told(&items), ["delete - 2"]);
    assert_eq!(items[0]["key"], id(&erased));
}
