//! What we export imports again unchanged: rows of every kind, through CSV, workbooks and JSON.

use garde::Validate;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use super::super::{Column, Demand, Json, Kind, Mapping, REPORT_MEMBERS, Use, columns, of_object};
use crate::formats::read::{FileKind, Incoming, Source, open};
use crate::formats::{csv, sheet};
use crate::http::body::valid;
use crate::http::list::known_fields;
use crate::participation::measures::api::{MeasureIn, MeasureOut};
use crate::participation::populations::api::{PopulationIn, PopulationOut};
use crate::participation::reports::observations::api::ObservationOut;
use crate::participation::reports::observations::of_report::ObservationIn;
use crate::participation::sources::api::{SourceIn, SourceOut};
use crate::registry::areas::districts::{DistrictIn, DistrictOut};
use crate::registry::collaborations::content::{CollaborationIn, CollaborationOut};
use crate::registry::culture_schools::api::{CultureSchoolIn, CultureSchoolOut};
use crate::registry::partners::api::{PartnerIn, PartnerOut};
use crate::registry::partnerships::api::{PartnershipIn, PartnershipOut};
use crate::registry::projects::content::{ProjectIn, ProjectOut};
use crate::sync::imports::types::ImportType;

const ID: &str = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6";

/// Texts that files are broken by.
fn nasty(breaks: bool) -> BoxedStrategy<String> {
    let inner = r#"[a-zåäöÅ0-9 =+@;,|'"\\\u{a0}😀<&_x#%-]{0,24}"#;
    let whole = if breaks {
        format!("[=+@'a-]?{inner}(\n{inner}){{0,2}}")
    } else {
        format!("[=+@'a-]?{inner}")
    };
    let free = proptest::string::string_regex(&whole)
        .unwrap()
        .prop_map(|text| format!("{text}e").trim().to_owned())
        .boxed();
    let ended = free.clone().prop_map(move |text| {
        if breaks {
            text.replace('\n', "\r") + "\r\n-e"
        } else {
            text
        }
    });
    let failed = proptest::string::string_regex("'{0,2}#(N/A|REF!|Saknas!|värdefel!)").unwrap();
    prop_oneof![8 => free, 1 => ended, 1 => failed].boxed()
}

fn of<T: Clone + std::fmt::Debug + Into<Value> + 'static>(values: &[T]) -> BoxedStrategy<Value> {
    proptest::sample::select(values.to_vec())
        .prop_map(Into::into)
        .boxed()
}

/// The value of a member, by what its column holds.
fn content(column: &Column) -> BoxedStrategy<Value> {
    let areas = ["SE", "18", "1880", "0114", "1880-varberga"];
    match (column.kind, column.field) {
        (Kind::Area, "municipality") => of(&["1880", "0114"]),
        (Kind::Area, _) => of(&areas),
        (Kind::Areas, _) => proptest::collection::vec(of(&areas), 0..3)
            .prop_map(Value::Array)
            .boxed(),
        (Kind::Code(list), _) => {
            let codes: Vec<&str> = list.codes.iter().map(|code| code.code).collect();
            of(&codes)
        }
        (Kind::Codes(list), _) => {
            let codes: Vec<&str> = list.codes.iter().map(|code| code.code).collect();
            proptest::collection::vec(of(&codes), 0..3)
                .prop_map(Value::Array)
                .boxed()
        }
        (Kind::Number, _) => (-1e9..1e9_f64).prop_map(Value::from).boxed(),
        (Kind::Whole, _) => (0..120_i64).prop_map(Value::from).boxed(),
        (Kind::Day, _) => of(&["2025-12-31", "1899-12-30", "1900-02-28", "2024-02-29"]),
        (Kind::Month, _) => of(&["2025-01", "1990-12"]),
        (Kind::PartialDate, _) => of(&["2018", "2018-05", "2018-05-01"]),
        (Kind::Bool, _) => any::<bool>().prop_map(Value::from).boxed(),
        (Kind::Reference(_) | Kind::Id, _) => of(&[ID]),
        (Kind::Label, "orgNumber") => of(&["802000-0009", "8020000009"]),
        (Kind::Ages, _) => of(&["6-12", "all"]),
        (Kind::Label, "code") if column.sv == "Kod" => of(&["pupils", "a1"]),
        (Kind::Measure, _) => of(&["pupils", "pupils_share"]),
        (Kind::Label, _) => of(&["61", "007", "2022/2023"]),
        (Kind::Text, "scheme") => of(&["regso-2025", "city:1880"]),
        (Kind::Text, "website" | "sourceUrl" | "url") => {
            of(&["https://example.se/?a=1;=b|c", "http://å.se/'x"])
        }
        (Kind::Text, _) => {
            let prose = [
                "purpose",
                "goal",
                "description",
                "note",
                "method",
                "dissemination",
                "afterProject",
                "definitionSv",
                "definitionEn",
            ];
            nasty(prose.contains(&column.field))
                .prop_map(Value::from)
                .boxed()
        }
        (Kind::Json(_), field) => object(field),
        (Kind::Moment, _) => of(&["2026-01-15T08:00:00Z"]),
    }
}

fn object(field: &str) -> BoxedStrategy<Value> {
    let line = || nasty(false);
    let prose = || nasty(true);
    let item: BoxedStrategy<Value> = match field {
        "targetGroup" => return (prose(), proptest::option::of(0..99))
            .prop_map(|(text, age)| json!({"text": text, "ageFrom": age, "ageTo": null}))
            .boxed(),
        "contacts" => line()
            .prop_map(|role| json!({"role": role, "email": "a@b.se", "phone": "+46 19 21 10 00"}))
            .boxed(),
        "members" => line()
            .prop_map(|text| json!({"municipality": "0114", "role": "member", "validFrom": "2018-07-01",
                "validTo": null, "agreement": text}))
            .boxed(),
        "goals" => prose()
            .prop_map(|goal| json!({"audience": "teachers_and_managers", "goal": goal}))
            .boxed(),
        "links" => line()
            .prop_map(|title| json!({"title": title, "url": "https://example.se/"}))
            .boxed(),
        "funding" => (line(), proptest::option::of(0..1_i64 << 40))
            .prop_map(|(period, amount)| json!({"funder": ID, "kind": "fund", "amountSek": amount,
                "periodKind": "project", "period": period, "note": null, "sourceUrl": null}))
            .boxed(),
        "dateClaims" => of(&[json!({"startsOn": "2018", "endsOn": null, "sourceUrl": "https://x.se/;=a", "chosen": true})]),
        "seriesBreaks" => prose()
            .prop_map(|text| json!({"firstPeriod": "2018", "reasonSv": text, "reasonEn": text, "sourceUrl": null}))
            .boxed(),
        "notes" => prose()
            .prop_map(|text| json!({"mandatory": true, "area": "0114", "period": null, "textSv": text,
                "textEn": text, "sourceUrl": null}))
            .boxed(),
        other => panic!("{other} has no example"),
    };
    proptest::collection::vec(item, 0..3)
        .prop_map(Value::Array)
        .boxed()
}

/// A row to be written: each member with a value, or without where it may be.
fn written(resource: ImportType) -> BoxedStrategy<Value> {
    let members: Vec<BoxedStrategy<(String, Value)>> = columns(resource)
        .iter()
        .filter(|column| column.role == Use::Content && !column.field.contains('.'))
        .filter(|column| {
            resource != ImportType::Observations || !REPORT_MEMBERS.contains(&column.field)
        })
        .map(|column| {
            let name = column.field.to_owned();
            let district = resource == ImportType::Districts && column.field == "code";
            let value = match column.empty {
                _ if district => of(&["1880-varberga", "0114-x", "SE-vissa-stadsdelar"]),
                super::super::Empty::None => proptest::option::of(content(column))
                    .prop_map(Option::unwrap_or_default)
                    .boxed(),
                _ => content(column),
            };
            value.prop_map(move |value| (name.clone(), value)).boxed()
        })
        .collect();
    members
        .prop_map(|members| Value::Object(members.into_iter().collect()))
        .boxed()
}

/// The row as our lists answer it: with names beside ids, and with what cannot be written.
fn exported(resource: ImportType, row: &Value) -> Value {
    let mut out = row.clone();
    let members = out.as_object_mut().unwrap();
    for column in columns(resource)
        .iter()
        .filter(|column| !column.field.contains('.'))
    {
        let own = members.get(column.field).cloned();
        let shown = match (column.role, column.kind, own) {
            (Use::Content, Kind::Areas, Some(Value::Array(codes))) => codes
                .into_iter()
                .map(|code| json!({"code": code, "name": "=Namn; =x"}))
                .collect(),
            (Use::Content, Kind::Json(Json::Without(more)), Some(Value::Array(items))) => items
                .into_iter()
                .map(|mut item| {
                    for name in more {
                        item[*name] = json!("Namn");
                    }
                    item
                })
                .collect(),
            (Use::Content, _, Some(own)) => own,
            (Use::Content, _, None) => match column.field {
                "report" | "source" => json!(ID),
                "period" => json!("2025"),
                "periodKind" => json!("year"),
                _ => continue,
            },
            (Use::Key, ..) => match column.field {
                "id" => json!(ID),
                "version" => json!(3),
                _ => Value::Null,
            },
            (Use::InsteadOf(other), ..) if members.get(other).is_none_or(Value::is_null) => {
                Value::Null
            }
            (Use::InsteadOf(_), ..) => json!("'=Ett namn"),
            (Use::ReadOnly, kind, _) => match kind {
                Kind::Whole => json!(5),
                Kind::Bool => json!(true),
                Kind::Json(_) => Value::Null,
                _ => json!("=read"),
            },
        };
        members.insert(column.field.to_owned(), shown);
    }
    out
}

/// Reads a file of one row back.
fn read_back(resource: ImportType, kind: FileKind, bytes: Vec<u8>) -> Value {
    let source = Source::Memory(bytes.into());
    let mapped = match open(kind, &source, &resource.sheet_names()).unwrap() {
        Incoming::Table {
            headings,
            mut records,
            ..
        } => {
            let mapping = Mapping::new(resource, &headings, Demand::Whole).unwrap();
            mapping.object(&records.next().unwrap().unwrap()).unwrap()
        }
        Incoming::Objects(mut objects) => {
            of_object(resource, objects.next().unwrap().unwrap().members).unwrap()
        }
    };
    assert!(mapped.notes.is_empty(), "{:?}", mapped.notes);
    let mut members = Map::from(mapped.members);
    for key in ["id", "version", "deletedAt"] {
        members.remove(key);
    }
    if resource == ImportType::Observations {
        for member in REPORT_MEMBERS {
            members.remove(*member);
        }
    }
    Value::Object(members)
}

fn comes_back<In, Out>(resource: ImportType, row: &Value)
where
    In: DeserializeOwned + Validate<Context = ()> + Serialize + PartialEq + std::fmt::Debug,
    Out: PartialSchema,
{
    let known = known_fields::<Out>();
    let before: In = valid(row.clone()).unwrap_or_else(|problem| panic!("{row}: {problem:?}"));
    // As it is stored: texts in their normal form.
    let stored = serde_json::to_value(&before).unwrap();
    let out = exported(resource, &stored);
    let out_members: Map<String, Value> = known
        .iter()
        .map(|field| (field.clone(), out.get(field).cloned().unwrap_or_default()))
        .collect();
    let shown = [Value::Object(out_members)];
    let files = [
        (FileKind::Csv, csv::write(&known, &shown).unwrap()),
        (
            FileKind::Xlsx,
            sheet::write(
                resource.as_str(),
                &known,
                shown
                    .iter()
                    .map(|row| known.iter().map(|field| sheet::cell(&row[field])).collect()),
            )
            .unwrap(),
        ),
        (
            FileKind::Json,
            json!({"items": [out]}).to_string().into_bytes(),
        ),
        (FileKind::Ndjson, format!("{out}\n").into_bytes()),
    ];
    for (kind, bytes) in files {
        let told = String::from_utf8_lossy(&bytes).into_owned();
        let value = read_back(resource, kind, bytes);
        let after: In =
            valid(value.clone()).unwrap_or_else(|problem| panic!("{kind:?}: {value}: {problem:?}"));
        assert_eq!(after, before, "{kind:?}: {told}");
    }
}

macro_rules! round_trips {
    ($($name:ident: $resource:ident $In:ty, $Out:ty;)+) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(48))]
            $(#[test]
            fn $name(row in written(ImportType::$resource)) {
                comes_back::<$In, $Out>(ImportType::$resource, &row);
            })+
        }

        #[test]
        fn every_member_that_is_shown_or_written_has_its_column() {
            $({
                let known: Vec<&str> = columns(ImportType::$resource).iter().map(|column| column.field).collect();
                for field in known_fields::<$Out>().iter().chain(&known_fields::<$In>()) {
                    assert!(known.contains(&field.as_str()), "{}: {field}", ImportType::$resource);
                }
                let written = known_fields::<$In>();
                for column in columns(ImportType::$resource) {
                    let own = column.role == Use::Content && !column.field.contains('.');
                    let of_report = ImportType::$resource == ImportType::Observations
                        && REPORT_MEMBERS.contains(&column.field);
                    assert_eq!(
                        own && !of_report,
                        written.iter().any(|field| field == column.field),
                        "{}: {}", ImportType::$resource, column.field
                    );
                }
            })+
        }
    };
}

round_trips! {
    culture_schools_come_back: CultureSchools CultureSchoolIn, CultureSchoolOut;
    partners_come_back: Partners PartnerIn, PartnerOut;
    projects_come_back: Projects ProjectIn, ProjectOut;
    collaborations_come_back: Collaborations CollaborationIn, CollaborationOut;
    partnerships_come_back: Partnerships PartnershipIn, PartnershipOut;
    measures_come_back: Measures MeasureIn, MeasureOut;
    sources_come_back: Sources SourceIn, SourceOut;
    observations_come_back: Observations ObservationIn, ObservationOut;
    populations_come_back: Populations PopulationIn, PopulationOut;
    districts_come_back: Districts DistrictIn, DistrictOut;
}
