//! Files that name measures: by code, by name, and almost.

use std::io::Cursor;

use serde_json::json;

use crate::imports::{CSV, import, import_json, measure, observation, outcomes};
use crate::rows::{add, with};
use crate::support::{Caller, TestApp};
use samverkan::access::Permission as P;

async fn office(app: &TestApp) -> Caller {
    let all = [
        P::RegistryRead,
        P::RegistryWrite,
        P::ParticipationRead,
        P::ParticipationWrite,
        P::ImportsWrite,
    ];
    let office = app.caller(&all, &["18"]);
    let source = json!({"title": "S", "publisher": "P", "area": "18"});
    add(&office, "/sources", source).await;
    office
}

/// Two measures of one name beside the one of [`measure`], and one that is not public.
async fn measures(app: &TestApp) {
    measure(app).await;
    let base =
        json!({"kind": "count", "unit": "persons", "definitionSv": "D.", "definitionEn": "D."});
    for (code, sv, en, state) in [
        ("queue_a", "Barn i kö", "Children in a queue", "published"),
        ("queue_b", "Barn i kö", "Children on a list", "published"),
        ("half_made", "Ännu inte", "Half made", "draft"),
    ] {
        let more = json!({"code": code, "labelSv": sv, "labelEn": en, "state": state});
        add(&app.admin(), "/measures", with(base.clone(), &more)).await;
    }
}

#[actix_web::test]
async fn a_template_offers_the_measures_that_there_are() {
    let app = TestApp::start().await;
    let office = office(&app).await;
    measures(&app).await;
    for kind in ["observations", "measures"] {
        let path = format!("/imports/templates/{kind}.xlsx");
        let before = office.get(&path).await;
        assert_eq!(before.status, 200);
        let mut parts = zip::ZipArchive::new(Cursor::new(before.body.clone())).unwrap();
        let mut part = |name: &str| std::io::read_to_string(parts.by_name(name).unwrap()).unwrap();
        let data = part("xl/worksheets/sheet1.xml");
        let strings = part("xl/sharedStrings.xml");
        // The list stands in the rule of the cell while it is short, and else on a sheet of its own.
        assert!(
            data.contains("queue_a,queue_b") || strings.contains("<t>queue_a</t>"),
            "{kind}"
        );
        for name in ["Barn i kö", "Children on a list", "Elever"] {
            assert!(strings.contains(name), "{kind}: {name} explains a code");
        }
        assert!(!data.contains("half_made") && !strings.contains("half_made"));
        let again = office.get(&path).await;
        assert_eq!(before.header("etag"), again.header("etag"));
    }
}

#[actix_web::test]
async fn the_name_of_a_measure_is_read_where_it_means_one() {
    let app = TestApp::start().await;
    let office = office(&app).await;
    measures(&app).await;
    let head = "Källa;Period;Område;Mått;Kön;Värde\r\n";
    let rows = [
        "S;2025;1880;elever;girls;5",
        "S;2025;1880;Children on a list;girls;6",
        "S;2025;1880;Barn i kö;girls;7",
        "S;2025;1880;Barn i kon;girls;8",
        "S;2025;1880;Children in a quue;girls;9",
        "S;2025;1880;pupls;girls;10",
        "S;2025;1880;half_made;girls;11",
    ];
    let file = format!("{head}{}\r\n", rows.join("\r\n"));
    let query = "type=observations&mode=partial";
    let told = import(&office, query, CSV, file).await.expect(207);
    let expected = [
        "created", "created", "invalid", "invalid", "invalid", "invalid", "created",
    ];
    assert_eq!(outcomes(&told), expected, "{told}");
    let said = |row: usize| {
        let error = &told["rows"][row]["errors"][0];
        assert_eq!(
            (&error["column"], &error["pointer"]),
            (&json!("D"), &json!("/measure"))
        );
        let message = |lang: &str| error["message"][lang].as_str().unwrap().to_owned();
        (
            error["code"].as_str().unwrap(),
            message("sv"),
            message("en"),
        )
    };
    let (code, sv, _) = said(2);
    assert_eq!(code, "reference_ambiguous");
    assert!(sv.contains("queue_a, queue_b"), "{sv}");
    // It is almost a name of two.
    assert_eq!(said(3).0, "unknown_code");
    let (code, sv, en) = said(4);
    assert_eq!(code, "unknown_code");
    assert!(sv.ends_with("Menade du queue_a (Barn i kö)?"), "{sv}");
    assert!(
        en.ends_with("Did you mean queue_a (Children in a queue)?"),
        "{en}"
    );
    let (code, sv, en) = said(5);
    assert_eq!(code, "observation_measure_exists");
    assert!(sv.ends_with("Menade du pupils (Elever)?"), "{sv}");
    assert!(en.ends_with("Did you mean pupils (Pupils)?"), "{en}");

    let row = with(
        observation("1883", "girls", 1),
        &json!({"measure": "pupls"}),
    );
    let told = import_json(&office, query, json!([row])).await.expect(207);
    let sentence = &told["rows"][0]["errors"][0]["message"]["en"];
    let sentence = sentence.as_str().unwrap();
    assert!(sentence.ends_with("Did you mean pupils (Pupils)?"));
}

#[actix_web::test]
async fn a_numerator_may_stand_earlier_in_the_same_file() {
    let app = TestApp::start().await;
    measures(&app).await;
    let nation = app.caller(
        &[P::RegistryRead, P::ParticipationWrite, P::ImportsWrite],
        &["SE"],
    );
    let head = "code,kind,unit,labelSv,labelEn,definitionSv,definitionEn,numerator,denominator,denominatorAgeBand";
    let file = format!(
        "{head}\n\
         pupil,count,persons,Elev,A pupil,D.,D.,,,\n\
         pupil_share,share,percent,Andel elev,Share,D.,D.,pupil,residents,6-19\n\
         pupils_share,share,percent,Andel elever,Share of pupils,D.,D.,Elever,residents,6-19\n"
    );
    let told = import(&nation, "type=measures", CSV, file)
        .await
        .expect(200);
    assert_eq!(outcomes(&told), ["created"; 3]);
    let numerator = async |code: &str| {
        let row = nation.get(&format!("/measures/{code}")).await.expect(200);
        row["numerator"].as_str().unwrap().to_owned()
    };
    assert_eq!(numerator("pupil_share").await, "pupil");
    assert_eq!(numerator("pupils_share").await, "pupils");
}
