//! Contacts in files of partners: who sees them again, and that they go when they are erased.

use diesel_async::RunQueryDsl;
use rstest::rstest;
use samverkan::access::Permission as P;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::imports::{CSV, JSON, import, outcomes};
use crate::rows::{add, partner};
use crate::support::{Caller, TestApp};

fn office(app: &TestApp) -> Caller {
    let all = [
        P::RegistryRead,
        P::RegistryWrite,
        P::ContactsRead,
        P::ImportsWrite,
    ];
    app.caller(&all, &["18"])
}

fn contact(mail: &str, phone: &str) -> Value {
    json!({"role": "Ledare", "email": mail, "phone": phone})
}

/// How many kept rows hold a text.
async fn kept(app: &TestApp, text: &str) -> usize {
    let like = format!("%{text}%");
    let rows = app.state.db.write(async |mut conn| {
        let sql = "SELECT 1 FROM import_rows WHERE concat(given, errors, existing, notes) ILIKE $1";
        let query = diesel::sql_query(sql).bind::<diesel::sql_types::Text, _>(&like);
        Ok(query.execute(&mut conn).await?)
    });
    rows.await.unwrap()
}

#[rstest]
#[case::json(JSON)]
#[case::csv(CSV)]
#[actix_web::test]
async fn an_erased_contact_leaves_the_rows_that_imports_refused(#[case] media: &str) {
    let app = TestApp::start().await;
    let office = office(&app);
    let both = json!({"contacts": [contact("ada@example.se", "+46 19 21 10 00"), contact("bo@example.se", "019-21 10 01")]});
    let path = add(&office, "/partners", partner("Kören", both)).await;
    let contacts = json!([
        contact("Ada@example.se", "019-21 10 00"),
        contact("bo@example.se", "fel")
    ]);
    let file = if media == JSON {
        json!([
            partner("Kören", json!({"contacts": contacts})),
            {"name": "Ringen", "category": "xx", "area": "1880", "description": "Fråga ADA@example.se, eller lada@example.se"},
            partner("Dansen", json!({"area": "2281", "contacts": [contact("bo@example.se", "019-21 10 01")]})),
        ])
        .to_string()
    } else {
        let quoted = |value: Value| value.to_string().replace('"', "\"\"");
        format!(
            "Namn;Kategori;Område;Kontakter;Beskrivning\n\
             Kören;other;1880;\"{}\";\n\
             Ringen;xx;1880;;\"Fråga ADA@example.se, eller lada@example.se\"\n\
             Dansen;other;2281;\"{}\";\n",
            quoted(contacts),
            quoted(json!([contact("bo@example.se", "019-21 10 01")]))
        )
    };
    let told = import(&office, "type=partners&mode=partial", media, file).await;
    let told = told.expect(207);
    assert_eq!(outcomes(&told), ["invalid", "invalid", "forbidden"]);
    let rejected = format!("/imports/{}/rejected", told["id"].as_str().unwrap());
    let before = office.get(&rejected).await.text();
    assert!(before.contains("Ada@example.se") && before.contains("019-21 10 00"));

    let rest = json!({"contacts": [contact("bo@example.se", "019-21 10 01")]});
    let version = office.get(&path).await.header("etag").to_owned();
    office.patch(&path, &version, &rest).await.expect(200);
    for gone in ["\"ada@", " ada@", "019-21 10 00", "+46 19 21 10 00"] {
        assert_eq!(kept(&app, gone).await, 0, "{gone}");
    }
    assert_eq!(
        kept(&app, "bo@example.se").await,
        2,
        "a present contact stays"
    );
    assert_eq!(kept(&app, "lada@example.se").await, 1, "so does another's");
    let after = office.get(&rejected).await.text();
    assert!(
        after.contains("[raderad]") && after.contains("Kören"),
        "{after}"
    );
    let events = app.admin().get("/audit-events?action=contact_erased").await;
    let events = events.expect(200);
    assert_eq!(events["items"][0]["detail"]["refusedRows"], 2, "{events}");

    // A tombstone keeps no contacts, and neither do the rows that were refused.
    office.delete(&path, "*").await;
    assert_eq!(kept(&app, "bo@example.se").await, 0);
    assert_eq!(kept(&app, "019-21 10 01").await, 0);
}

#[actix_web::test]
async fn what_a_file_says_of_contacts_is_seen_by_its_sender_only() {
    let app = TestApp::start().await;
    let office = office(&app);
    let held = json!({"orgNumber": "802000-0009", "contacts": [contact("ada@example.se", "019-21 10 00")]});
    add(&office, "/partners", partner("Kören", held)).await;
    let row = json!([partner(
        "Kören",
        json!({"orgNumber": "802000-0009", "contacts": [contact("bo@example.se", "019-21 10 01")], "version": 7})
    )]);
    let told = import(&office, "type=partners&mode=partial", JSON, row.to_string()).await;
    let told = told.expect(207);
    assert_eq!(outcomes(&told), ["conflict"]);
    let existing = &told["rows"][0]["existing"];
    assert_eq!(existing["name"], "Kören");
    assert!(existing.get("contacts").is_none(), "{existing}");
    let path = format!("/imports/{}", told["id"].as_str().unwrap());
    let own = office.get(&format!("{path}/rejected")).await;
    assert!(own.text().contains("bo@example.se"));
    let other = app.state.issuer.issue(
        Uuid::now_v7(),
        "client_other",
        "imports:write registry:write contacts:read",
        vec!["SE".to_owned()],
        app.state.clock.now(),
    );
    let other = app.anonymous().with_token(&other.unwrap().token);
    for part in ["", "/rows", "/rejected", "/events"] {
        let other = other.get(&format!("{path}{part}")).await;
        assert_eq!(other.status, 404, "{part}");
    }
}
