//! What the API exports imports again unchanged: every resource, in every format, over HTTP.

use serde_json::{Value, json};

use crate::imports::{
    CSV, JSON, NDJSON, XLSX, import, import_json, measure, observation, outcomes,
};
use crate::rows::{add, collaboration, district, id, partner, partnership, project, school};
use crate::support::{Caller, TestApp};

/// Every kind of row that is imported.
const KINDS: [&str; 10] = [
    "districts",
    "culture-schools",
    "partners",
    "projects",
    "collaborations",
    "partnerships",
    "measures",
    "sources",
    "populations",
    "observations",
];

/// Texts of one line that files are broken by.
const LINES: [&str; 42] = [
    "=1+1",
    "+46 19",
    "-Ö",
    "@SUM(A1)",
    "'=1+1",
    "''x",
    "'",
    "\"",
    "a\"b",
    "\"a\"",
    ";",
    "a;b",
    "a,b",
    "a|b",
    "|",
    "0114",
    "007",
    "1e5",
    "1.0",
    "1,5",
    "12,5 %",
    "−3",
    "2025-01-01",
    "6-12",
    "12/3",
    "true",
    "SANT",
    "ja",
    "null",
    "=#N/A",
    "_x0041_",
    "_x000D_",
    "_fel",
    "&amp;",
    "<b>",
    "a\u{a0}b",
    "sep=;",
    "👩‍👩‍👧‍👦",
    "ÅÄÖ é ß",
    "\\n",
    "{\"a\":1}",
    "[1]",
];

/// Texts of several lines.
const PROSE: [&str; 8] = [
    "rad ett\nrad två",
    "rad ett\r\nrad två",
    "a\rb",
    "- ett\n- två",
    "a\n=1+1",
    "a;\n\"b\",\tc",
    "a\n\nb",
    "'\n'=x",
];

async fn all(caller: &Caller, kind: &str, query: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let answer = caller
            .get(&format!("/{kind}?limit=500&page={page}{query}"))
            .await
            .expect(200);
        let items = answer["items"].as_array().unwrap();
        if items.is_empty() {
            break;
        }
        rows.extend(items.iter().cloned());
    }
    rows
}

/// Sends what the lists of a kind answer, page by page and format by format, and expects that nothing is changed by it.
async fn comes_back(caller: &Caller, kind: &str) {
    let include = match kind {
        "partners" => "&include=contacts",
        "collaborations" => "&include=members",
        _ => "",
    };
    let before = all(caller, kind, include).await;
    assert!(!before.is_empty(), "{kind}");
    for (page, rows) in before.chunks(500).enumerate() {
        let path = format!("/{kind}?limit=500&page={}{include}", page + 1);
        let csv = caller.get(&format!("{path}&format=csv")).await;
        let xlsx = caller.get(&format!("{path}&format=xlsx")).await;
        assert_eq!((csv.status, xlsx.status), (200, 200), "{kind}");
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        for (media, body) in [
            (CSV, csv.body.clone()),
            (XLSX, xlsx.body.clone()),
            (JSON, json!({"items": rows}).to_string().into_bytes()),
            (NDJSON, lines.join("\n").into_bytes()),
        ] {
            let reply = import(caller, &format!("type={kind}"), media, body).await;
            assert_eq!(reply.status, 200, "{kind} {media}: {}", reply.text());
            let answer = reply.json();
            let changed = answer["rows"].as_array().unwrap().iter().zip(rows);
            let changed: Vec<_> = changed
                .filter(|(row, _)| row["outcome"] != "unchanged" || row["notes"] != json!([]))
                .collect();
            assert!(changed.is_empty(), "{kind} {media}: {changed:?}");
            assert_eq!(outcomes(&answer).len(), rows.len(), "{kind} {media}");
        }
    }
    // Observations are exported with their reports; more than a thousand rows are imported by a job.
    if kind != "observations" && before.len() <= 1_000 {
        for (media, ending) in [(NDJSON, "ndjson"), (JSON, "json")] {
            let export = caller.get(&format!("/exports/{kind}.{ending}")).await;
            assert_eq!(export.status, 200, "{kind}");
            let reply = import(caller, &format!("type={kind}"), media, export.body.clone()).await;
            assert_eq!(reply.status, 200, "{kind} {ending}: {}", reply.text());
            let outcomes = outcomes(&reply.json());
            assert_eq!(outcomes.len(), before.len(), "{kind} {ending}");
            assert!(
                outcomes.iter().all(|outcome| outcome == "unchanged"),
                "{kind} {ending}: {outcomes:?}"
            );
        }
    }
    assert_eq!(all(caller, kind, include).await, before, "{kind}");
}

#[actix_web::test]
async fn every_kind_with_all_its_members_imports_again_unchanged() {
    let app = TestApp::start().await;
    let admin = app.admin();
    add(
        &admin,
        "/districts",
        district("1880-a", json!({"validFrom": "2020-01-01"})),
    )
    .await;
    add(
        &admin,
        "/culture-schools",
        school("=Skolan", json!({"openedMonth": "1998-08"})),
    )
    .await;
    add(
        &admin,
        "/partners",
        partner(
            "-Ö",
            json!({"orgNumber": "802000-0009", "description": "Rad ett\nrad \"två\"; tre",
        "contacts": [{"role": "Kansli", "email": "info@example.se", "phone": null}]}),
        ),
    )
    .await;
    let some = json!({"startMonth": "2020-01", "endMonth": "2022-12", "areas": ["1880"], "themes": ["inclusion", "accessibility"],
        "targetGroup": {"text": "Barn", "ageFrom": 6}, "owner": {"name": "-Ö"},
        "dateClaims": [{"startsOn": "2020", "sourceUrl": "https://a.se"}],
        "funding": [{"kind": "fund", "amountSek": 1000, "periodKind": "project", "period": "2026"}]});
    add(&admin, "/projects", project("P", some)).await;
    let some = json!({"members": [{"municipality": "1880", "validFrom": "2018-01-01"}], "goals": [{"audience": "teachers_and_managers", "goal": "G"}],
        "links": [{"title": "T", "url": "https://a.se"}]});
    add(&admin, "/collaborations", collaboration("S", some)).await;
    add(
        &admin,
        "/partnerships",
        partnership(
            "-Ö",
            "P",
            json!({"validFrom": "2021-01", "continuesAfterProject": true}),
        ),
    )
    .await;
    measure(&app).await;
    let source = add(
        &admin,
        "/sources",
        json!({"title": "S", "publisher": "P", "area": "18", "publishedOn": "2025-06"}),
    )
    .await;
    let source = id(&source);
    add(&admin, "/populations", json!({"area": "1880", "year": 2025, "gender": "total", "ageFrom": 6, "ageTo": 19, "value": 26000,
        "referenceDate": "2025-12-31", "source": source})).await;
    import_json(&admin, "type=observations&submit=true", json!([observation("1880", "girls", 10), {"source": source, "period": "2025", "area": "1880",
        "measure": "pupils", "gender": "boys", "ageBand": "6-6", "value": null, "status": "not_collected", "note": "Å"}])).await.expect(200);
    for kind in KINDS {
        comes_back(&admin, kind).await;
    }
}

#[actix_web::test]
async fn the_demo_data_imports_again_unchanged() {
    let app = TestApp::start().await;
    samverkan::demo::load_reference(&app.state.db)
        .await
        .unwrap();
    samverkan::demo::load_if_empty(&app.state.db).await.unwrap();
    let admin = app.admin();
    for kind in KINDS {
        comes_back(&admin, kind).await;
    }
}

#[actix_web::test]
async fn texts_that_files_are_broken_by_import_again_unchanged() {
    let app = TestApp::start().await;
    let admin = app.admin();
    measure(&app).await;
    for (n, line) in LINES.into_iter().enumerate() {
        let prose = PROSE[n % PROSE.len()];
        add(
            &admin,
            "/partners",
            partner(
                line,
                json!({"description": prose, "contacts": [{"role": line, "email": "a@b.se"}]}),
            ),
        )
        .await;
        add(&admin, "/culture-schools", school(line, json!({}))).await;
        add(
            &admin,
            "/districts",
            district(&format!("1880-{n}"), json!({"name": line})),
        )
        .await;
        let texts = json!({"purpose": prose, "method": line, "targetGroup": {"text": prose}, "owner": {"name": line},
            "dateClaims": [{"startsOn": "2020", "sourceUrl": "https://a.se/;=a"}],
            "funding": [{"kind": "fund", "periodKind": "project", "period": "2026", "note": prose}]});
        add(&admin, "/projects", project(line, texts)).await;
        let texts = json!({"members": [{"municipality": "1880", "agreement": line}],
            "goals": [{"audience": "teachers_and_managers", "goal": prose}], "links": [{"title": line, "url": "https://a.se"}]});
        add(&admin, "/collaborations", collaboration(line, texts)).await;
        add(
            &admin,
            "/partnerships",
            partnership(line, line, json!({"description": prose})),
        )
        .await;
        let source = json!({"title": line, "publisher": line, "area": "18", "note": prose});
        let source = add(&admin, "/sources", source).await;
        add(&admin, "/populations", json!({"area": "1880", "year": 2025, "gender": "total", "ageFrom": 6, "ageTo": 19, "value": n,
            "referenceDate": "2025-12-31", "source": id(&source), "note": prose})).await;
        let row = json!([{"source": id(&source), "period": "2025", "area": "1880", "measure": "pupils", "value": n, "note": prose}]);
        import_json(&admin, "type=observations", row)
            .await
            .expect(200);
        let measure = json!({"code": format!("nasty_{n}"), "kind": "count", "unit": "persons", "labelSv": line, "labelEn": line,
            "definitionSv": prose, "definitionEn": line, "notes": [{"mandatory": true, "textSv": prose, "textEn": line}]});
        add(&admin, "/measures", measure).await;
    }
    for kind in KINDS {
        comes_back(&admin, kind).await;
    }
}
