//! Populations are written together: what becomes of each is what would become of it alone.

use samverkan::access::Permission as P;
use serde_json::{Value, json};

use crate::imports::{import_json, outcomes};
use crate::rows::{add, with};
use crate::support::{Caller, TestApp};

fn office(app: &TestApp) -> Caller {
    let all = [P::RegistryRead, P::ParticipationWrite, P::ImportsWrite];
    app.caller(&all, &["18"])
}

fn row(age: i64, more: Value) -> Value {
    let base = json!({"area": "1880", "year": 2025, "gender": "girls", "ageFrom": age, "ageTo": age, "value": 100,
        "referenceDate": "2025-12-31", "source": {"title": "S"}});
    with(base, &more)
}

/// The code of the first error of each row, or nothing.
fn errors(told: &Value) -> Vec<&str> {
    let rows = told["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| row["errors"][0]["code"].as_str().unwrap_or_default())
        .collect()
}

async fn source(office: &Caller) {
    let source =
        json!({"title": "S", "publisher": "P", "area": "18", "url": "https://example.se/s"});
    add(office, "/sources", source).await;
}

#[actix_web::test]
async fn each_row_of_many_is_told_as_if_it_were_alone() {
    let app = TestApp::start().await;
    let office = office(&app);
    source(&office).await;
    let first = json!([row(1, json!({})), row(2, json!({})), row(3, json!({}))]);
    let told = import_json(&office, "type=populations", first.clone()).await;
    let told = told.expect(200);
    assert_eq!(outcomes(&told), ["created"; 3]);
    let ids: Vec<String> = (0..3)
        .map(|n| told["rows"][n]["id"].as_str().unwrap().to_owned())
        .collect();

    let query = "type=populations&mode=partial";
    let mixed = json!([
        row(1, json!({})),
        row(2, json!({"value": 7, "note": "Räknat om."})),
        row(3, json!({"version": 9})),
        row(4, json!({"value": 4})),
        row(5, json!({"value": -1})),
        row(6, json!({"area": "1899"})),
        row(7, json!({"area": "2281"})),
        row(8, json!({"source": {"title": "Finns inte"}})),
        row(9, json!({"ageTo": 3})),
        row(10, json!({})),
        row(10, json!({"source": {"url": "https://example.se/s"}})),
        row(11, json!({"year": "tjugo"})),
        row(12, json!({"value": 12})),
        row(13, json!({"year": 1})),
    ]);
    let told = import_json(&office, query, mixed).await.expect(207);
    assert_eq!(
        outcomes(&told),
        [
            "unchanged",
            "updated",
            "conflict",
            "created",
            "invalid",
            "invalid",
            "forbidden",
            "invalid",
            "invalid",
            "created",
            "invalid",
            "invalid",
            "created",
            "invalid"
        ],
        "{told}"
    );
    let told_errors = errors(&told);
    let expected = [
        (2, "version_changed"),
        (4, "population_not_negative"),
        (5, "population_area_exists"),
        (8, "population_age_order"),
        (10, "row_doubled"),
        (13, "population_year_range"),
    ];
    for (n, code) in expected {
        assert_eq!(told_errors[n], code, "{}", told["rows"][n]);
    }
    assert_eq!(told["rows"][2]["existing"]["id"], ids[2].as_str());
    assert_eq!(told["rows"][0]["version"], 1);
    assert_eq!(told["rows"][1]["version"], 2);
    assert_eq!(told["rows"][7]["errors"][0]["pointer"], "/source");

    let history = office
        .get(&format!("/populations/{}/history", ids[1]))
        .await;
    let history = history.expect(200);
    let items = history["items"].as_array().unwrap();
    let ops: Vec<_> = items.iter().map(|item| &item["op"]).collect();
    assert_eq!(ops, ["update", "create"]);
    assert_eq!(items[0]["versionBefore"], 1);
    assert_eq!(
        (&items[0]["row"]["value"], &items[1]["row"]["value"]),
        (&json!(7), &json!(100))
    );
    assert_eq!(items[0]["clientId"], "client_test");
    let made = told["rows"][3]["id"].as_str().unwrap();
    let history = office.get(&format!("/populations/{made}/history")).await;
    assert_eq!(history.expect(200)["items"][0]["op"], "create");

    let all = office.get("/populations?limit=100&sort=ageFrom").await;
    assert_eq!(all.column("ageFrom"), ["1", "2", "3", "4", "10", "12"]);
    let again = import_json(
        &office,
        "type=populations&strategy=create&mode=partial",
        first,
    )
    .await;
    assert_eq!(errors(&again.expect(207)), ["exists_already"; 3]);
    let missing = json!([
        row(1, json!({"value": 1})),
        row(20, json!({})),
        row(21, json!({}))
    ]);
    let told = import_json(
        &office,
        "type=populations&strategy=update&mode=partial",
        missing,
    )
    .await;
    let told = told.expect(207);
    assert_eq!(outcomes(&told), ["updated", "invalid", "invalid"]);
    assert_eq!(errors(&told)[1..], ["row_unknown"; 2]);
}

#[actix_web::test]
async fn one_that_the_database_refuses_takes_no_other_with_it_and_all_or_nothing_is_that() {
    let app = TestApp::start().await;
    let office = office(&app);
    source(&office).await;
    let rows: Vec<Value> = (0..40)
        .map(|n| row(n, json!({"value": if n == 17 { -1 } else { n }})))
        .collect();
    let atomic = import_json(&office, "type=populations", json!(rows)).await;
    let atomic = atomic.expect(422);
    assert_eq!(
        (
            &atomic["counts"]["invalid"],
            &atomic["counts"]["notWritten"]
        ),
        (&json!(1), &json!(39))
    );
    let none = office.get("/populations").await.expect(200);
    assert_eq!(none["_meta"]["totalRecords"], 0);
    let told = import_json(&office, "type=populations&mode=partial", json!(rows)).await;
    let told = told.expect(207);
    let good: Vec<_> = outcomes(&told);
    assert_eq!(
        good.iter().filter(|outcome| *outcome == "created").count(),
        39
    );
    assert_eq!(good[17], "invalid");
    // The rows are told in the order of the file, and each row is its own.
    for (n, told) in told["rows"].as_array().unwrap().iter().enumerate() {
        assert_eq!(told["position"], n);
        if let Some(id) = told["id"].as_str() {
            let there = office.get(&format!("/populations/{id}")).await.expect(200);
            assert_eq!(there["ageFrom"], n);
        }
    }
}

#[actix_web::test]
async fn a_replacing_file_of_populations_deletes_what_it_does_not_name() {
    let app = TestApp::start().await;
    let office = office(&app);
    source(&office).await;
    let rows: Vec<Value> = (0..10).map(|n| row(n, json!({}))).collect();
    import_json(&office, "type=populations", json!(rows))
        .await
        .expect(200);
    let mut rest = rows.clone();
    rest.remove(3);
    rest[0]["value"] = json!(5);
    rest.push(row(50, json!({})));
    let told = import_json(&office, "type=populations&strategy=replace", json!(rest)).await;
    let told = told.expect(200);
    let counts = &told["counts"];
    let named = ["updated", "unchanged", "created", "deleted"];
    assert_eq!(
        named.map(|name| counts[name].as_i64().unwrap()),
        [1, 8, 1, 1]
    );
}
