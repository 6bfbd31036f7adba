//! The database: migrations go up, down and up again; `schema.rs` is in step; every rule of the database is one that
//! a client can be told; every vocabulary is the same in Rust and in SQL.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "api/support/cluster.rs"]
mod cluster;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use samverkan::clock::Clock;
use samverkan::db::Shared;
use samverkan::db::catalogue::{CONFLICTS, RULES};
use samverkan::db::connect::{self, Target, Work};
use samverkan::{participation, registry, statistics, sync};
use serde_json::{Map, Value};

async fn connect() -> AsyncPgConnection {
    let url = cluster::new_database().await;
    connect::open(&Target::parse(&url).unwrap(), Work::Migrate)
        .await
        .unwrap()
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

async fn lines(conn: &mut AsyncPgConnection, sql: &str) -> Vec<String> {
    let rows: Vec<Line> = diesel::sql_query(sql).load(conn).await.unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

/// Everything that makes a schema: columns, constraints, indexes, triggers, functions, domains.
const SHAPE: &str = "
    SELECT line FROM (
        SELECT format('column %s.%s %s %s %s', table_name, column_name, udt_name, is_nullable, coalesce(column_default, generation_expression)) AS line
            FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT format('constraint %s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT format('function %s %s', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ) AS shape WHERE line NOT LIKE '%diesel%' ORDER BY line";

#[actix_web::test]
async fn every_migration_goes_down_and_up_again_to_the_same_schema() {
    let mut conn = connect().await;
    let before = lines(&mut conn, SHAPE).await;
    assert!(before.len() > 300, "{}", before.len());
    let mut folders: Vec<_> = std::fs::read_dir("migrations")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    for folder in folders.iter().rev() {
        conn.batch_execute(&std::fs::read_to_string(folder.join("down.sql")).unwrap())
            .await
            .unwrap();
    }
    let left: Vec<String> = lines(&mut conn, SHAPE).await;
    assert!(left.is_empty(), "left behind: {left:?}");
    for folder in &folders {
        conn.batch_execute(&std::fs::read_to_string(folder.join("up.sql")).unwrap())
            .await
            .unwrap();
    }
    assert_eq!(lines(&mut conn, SHAPE).await, before);
}

/// The tables of the service with their columns, `table.column`.
const COLUMNS: &str = "SELECT format('%s.%s', table_name, column_name) AS line FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND left(table_name, 2) <> '__' ORDER BY 1";

/// The rows of these columns, as JSON, by table.
async fn rows_of(conn: &mut AsyncPgConnection, columns: &[String]) -> BTreeMap<String, Vec<Value>> {
    let mut rows = BTreeMap::new();
    for column in columns {
        let (table, _) = column.split_once('.').unwrap();
        if !rows.contains_key(table) {
            let sql = format!("SELECT to_jsonb({table})::text AS line FROM {table}");
            let found = lines(conn, &sql).await;
            let found = found.iter().map(|row| serde_json::from_str(row).unwrap());
            rows.insert(table.to_owned(), found.collect());
        }
    }
    rows
}

/// Only these columns of the rows, in an order of their own.
fn cut(rows: &BTreeMap<String, Vec<Value>>, columns: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut cut: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, rows) in rows {
        let kept = |name: &str| columns.contains(&format!("{table}.{name}"));
        let rows = rows.iter().map(|row| {
            let members = row.as_object().unwrap().iter();
            let members: Map<String, Value> = members
                .filter(|(name, _)| kept(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            Value::Object(members).to_string()
        });
        if columns
            .iter()
            .any(|column| column.starts_with(&format!("{table}.")))
        {
            let mut rows: Vec<String> = rows.collect();
            rows.sort_unstable();
            cut.insert(table.clone(), rows);
        }
    }
    cut
}

/// From every state back to the newest: what was stored in tables that were there before stays as it was.
#[actix_web::test]
async fn what_is_stored_survives_migrations_down_and_up_again() {
    let url = cluster::new_database().await;
    let target = Target::parse(&url).unwrap();
    let shared = Shared::new(target.clone(), 1, Clock::system()).unwrap();
    samverkan::demo::load_reference(&shared).await.unwrap();
    assert!(samverkan::demo::load_if_empty(&shared).await.unwrap() > 300);

    let mut conn = connect::open(&target, Work::Migrate).await.unwrap();
    let mut folders: Vec<_> = std::fs::read_dir("migrations")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let all = lines(&mut conn, COLUMNS).await;
    let before = rows_of(&mut conn, &all).await;
    let mut compared = Vec::new();
    for first in (0..folders.len()).rev() {
        let newer = &folders[first..];
        let file = |folder: &Path, step| std::fs::read_to_string(folder.join(step)).unwrap();
        conn.batch_execute("BEGIN").await.unwrap();
        for folder in newer.iter().rev() {
            conn.batch_execute(&file(folder, "down.sql")).await.unwrap();
        }
        // What a newer migration brought is gone with it: the older columns are compared.
        let older = lines(&mut conn, COLUMNS).await;
        assert!(older.iter().all(|column| all.contains(column)));
        let kept = cut(&before, &older);
        let down = rows_of(&mut conn, &older).await;
        assert_eq!(cut(&down, &older), kept, "down to before {newer:?}");
        for folder in newer {
            conn.batch_execute(&file(folder, "up.sql")).await.unwrap();
        }
        let up = rows_of(&mut conn, &older).await;
        assert_eq!(cut(&up, &older), kept, "up again through {newer:?}");
        conn.batch_execute("ROLLBACK").await.unwrap();
        compared.push(kept.values().map(Vec::len).sum::<usize>());
    }
    assert!(compared[0] > 700, "rows, newest state first: {compared:?}");
}

#[actix_web::test]
async fn every_foreign_key_has_an_index() {
    let mut conn = connect().await;
    let bare = lines(
        &mut conn,
        "SELECT conname::text AS line FROM pg_constraint c WHERE contype = 'f' AND NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND indpred IS NULL
                AND (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(c.conkey)] @> c.conkey)
         AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = ANY(c.conkey))",
    )
    .await;
    assert!(bare.is_empty(), "{bare:?}");
}

#[actix_web::test]
async fn every_rule_of_the_database_can_be_told() {
    let mut conn = connect().await;
    let named: BTreeSet<String> = lines(
        &mut conn,
        "SELECT conname::text AS line FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'u', 'x')
         UNION SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
            WHERE indisunique AND NOT indisprimary AND relnamespace = 'public'::regnamespace",
    )
    .await
    .into_iter()
    .collect();
    // Raised by triggers, or by columns whose values clients choose as keys.
    let others = [
        "observation_value_fits_measure",
        "observation_area_inside_report",
        "observation_report_exists",
        "observation_measure_exists",
        "observation_area_exists",
        "import_row_import_exists",
        "client_two_secrets",
        "checkpoint_at_most_fifty",
        "areas_pkey",
        "measures_pkey",
        "project_areas_pkey",
        "collaboration_regions_pkey",
        "series_breaks_pkey",
    ];
    // Never reached from outside: the values are made by the service.
    let internal = [
        "client_id_once",
        "client_secret_once",
        "client_secret_client_exists",
        "publication_state_known",
        "publication_phase_known",
        "publication_published_has_time",
        "publication_withdrawn_has_reason",
        "publication_failed_has_reason",
        "publication_document_publication_exists",
        "publication_source_publication_exists",
        "publication_finding_publication_exists",
        "publication_finding_severity_known",
        "publication_block_publication_exists",
        "publication_raw_block_publication_exists",
        "publication_figure_publication_exists",
        "protection_key_length",
        "protection_policy_dimension_known",
        "protection_policy_threshold_range",
        "protection_policy_level_known",
        "audit_action_known",
        "import_row_run_length",
        "import_row_run_plain",
        "history_id_once",
        "history_op_known",
        "earlier_observation_report_exists",
        "change_seq_once",
        "checkpoint_once",
        "checkpoint_name_format",
        "change_op_known",
        "feed_retention_one_row",
    ];
    let told: BTreeSet<String> = CONFLICTS
        .iter()
        .chain(RULES)
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    let untold: Vec<&String> = named
        .iter()
        .filter(|name| !told.contains(*name) && !internal.contains(&name.as_str()))
        .collect();
    assert!(untold.is_empty(), "not in the catalogue: {untold:?}");
    let unknown: Vec<&String> = told
        .iter()
        .filter(|name| !named.contains(*name) && !others.contains(&name.as_str()))
        .collect();
    assert!(
        unknown.is_empty(),
        "in the catalogue, not in the database: {unknown:?}"
    );
}

#[actix_web::test]
async fn every_vocabulary_is_the_same_in_rust_and_in_the_database() {
    let mut conn = connect().await;
    for list in registry::codes::LISTS
        .iter()
        .chain(participation::codes::LISTS)
        .chain(statistics::codes::LISTS)
        .chain(sync::imports::codes::LISTS)
        .chain(sync::history::LISTS)
        .chain(sync::LISTS)
    {
        let Some(constraint) = list.constraint else {
            continue;
        };
        let sql = format!(
            "SELECT pg_get_constraintdef(oid) AS line FROM pg_constraint WHERE conname = '{constraint}'"
        );
        let definition = lines(&mut conn, &sql).await.concat();
        let allowed: BTreeSet<&str> = definition.split('\'').skip(1).step_by(2).collect();
        let codes: BTreeSet<&str> = list.codes.iter().map(|code| code.code).collect();
        assert_eq!(allowed, codes, "{} and {constraint}", list.name);
        assert!(
            list.codes
                .iter()
                .all(|code| !code.label_sv.is_empty() && !code.label_en.is_empty())
        );
    }
}

#[actix_web::test]
async fn folding_and_organisation_numbers_follow_their_rules() {
    let mut conn = connect().await;
    let sql = "SELECT string_agg(x::text, ' ') AS line FROM (VALUES (fold('ÖREBRO') = 'orebro'), (is_org_number('802000-0009')),
        (NOT is_org_number('802000-0008')), (NOT is_org_number('811228-9874')), (NOT is_org_number('8020000009')), (is_org_number('556036-0793'))) AS t (x)";
    assert_eq!(
        lines(&mut conn, sql).await,
        ["true true true true true true"]
    );
}

#[derive(QueryableByName)]
struct Described {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    udt_name: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
    #[diesel(sql_type = Text)]
    key: String,
}

#[actix_web::test]
async fn the_committed_schema_is_what_the_migrations_make() {
    let mut conn = connect().await;
    let columns: Vec<Described> = diesel::sql_query(
        "SELECT c.table_name::text, c.column_name::text, c.udt_name::text, c.is_nullable = 'YES' AS nullable,
            (SELECT string_agg(k.column_name, ', ' ORDER BY k.ordinal_position)
             FROM information_schema.table_constraints t JOIN information_schema.key_column_usage k USING (constraint_name, table_schema)
             WHERE t.table_name = c.table_name AND t.constraint_type = 'PRIMARY KEY') AS key
         FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)
         WHERE c.table_schema = 'public' AND table_type = 'BASE TABLE' AND c.table_name NOT LIKE '\\_\\_%' AND c.udt_name <> 'tsvector'
         ORDER BY c.table_name, c.ordinal_position",
    )
    .load(&mut conn)
    .await
    .unwrap();
    let made = schema(&columns);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/schema.rs");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == made,
        "src/schema.rs is not what the migrations make: run UPDATE=1 cargo test --test schema"
    );
}

fn schema(columns: &[Described]) -> String {
    let mut text = String::from(
        "//! The tables, for diesel.\n//!\n//! Generated from the migrations; never edited. `UPDATE=1 cargo test --test schema` writes it anew. Search columns are\n//! left out: nothing reads them but SQL.\n\n#![expect(\n    missing_docs,\n    reason = \"tables and columns are explained in the migrations\"\n)]\n\n",
    );
    let tables: BTreeSet<&str> = columns
        .iter()
        .map(|column| column.table_name.as_str())
        .collect();
    for table in &tables {
        let own: Vec<&Described> = columns
            .iter()
            .filter(|column| column.table_name == *table)
            .collect();
        writeln!(text, "diesel::table! {{\n    {table} ({}) {{", own[0].key).unwrap();
        for column in own {
            writeln!(
                text,
                "        {} -> {},",
                column.column_name,
                diesel_type(column)
            )
            .unwrap();
        }
        text.push_str("    }\n}\n\n");
    }
    text.push_str("diesel::allow_tables_to_appear_in_same_query!(\n");
    for table in &tables {
        writeln!(text, "    {table},").unwrap();
    }
    text.push_str(");\n");
    text
}

fn diesel_type(column: &Described) -> String {
    let plain = |name: &str| match name {
        "text" => "Text",
        "int2" => "SmallInt",
        "int4" => "Integer",
        "int8" => "BigInt",
        "bool" => "Bool",
        "uuid" => "Uuid",
        "date" => "Date",
        "timestamptz" => "Timestamptz",
        "jsonb" => "Jsonb",
        "float8" => "Double",
        "bytea" => "Binary",
        other => panic!("no diesel type for {other}"),
    };
    let inner = match column.udt_name.strip_prefix('_') {
        Some(item) => format!("Array<{}>", plain(item)),
        None => plain(&column.udt_name).to_owned(),
    };
    if column.nullable {
        format!("Nullable<{inner}>")
    } else {
        inner
    }
}

/// What foreign keys would promise of observations, and by the same locks: of who writes one and who deletes what it names,
/// the later waits for the earlier and sees it.
#[actix_web::test]
async fn what_observations_name_is_there_and_stays() {
    let url = cluster::new_database().await;
    let target = Target::parse(&url).unwrap();
    let shared = Shared::new(target.clone(), 1, Clock::system()).unwrap();
    samverkan::demo::load_reference(&shared).await.unwrap();
    samverkan::demo::load_if_empty(&shared).await.unwrap();
    let (mut one, mut other) = (
        connect::open(&target, Work::Migrate).await.unwrap(),
        connect::open(&target, Work::Migrate).await.unwrap(),
    );
    let refused = |done: diesel::QueryResult<()>| match done {
        Err(diesel::result::Error::DatabaseError(_, told)) => {
            told.constraint_name().unwrap_or(told.message()).to_owned()
        }
        done => panic!("{done:?}"),
    };

    let insert = |report: &str, measure: &str, area: &str| {
        format!(
            "INSERT INTO observations (id, report_id, measure_code, area_code, value)
             SELECT gen_random_uuid(), {report}, {measure}, {area}, 7 FROM
             (SELECT r.id AS report, r.area_code AS area FROM reports r JOIN observations o ON o.report_id = r.id ORDER BY r.id LIMIT 1) AS there"
        )
    };
    let update = |change| {
        let any = "(SELECT id FROM observations ORDER BY id LIMIT 1)";
        format!("UPDATE observations SET {change} WHERE id = {any}")
    };
    let nobody = "gen_random_uuid()";
    for (statement, rule) in [
        (
            insert(nobody, "'pupils'", "there.area"),
            "observation_report_exists",
        ),
        (
            insert("report", "'no_such'", "there.area"),
            "observation_measure_exists",
        ),
        (
            insert("report", "'pupils'", "there.area || 'R999'"),
            "observation_area_exists",
        ),
        (
            update("measure_code = 'no_such'"),
            "observation_measure_exists",
        ),
        (
            update("report_id = gen_random_uuid()"),
            "observation_report_exists",
        ),
        (update("area_code = '9999'"), "observation_area_exists"),
    ] {
        assert_eq!(
            refused(one.batch_execute(&statement).await),
            rule,
            "{statement}"
        );
    }
    // What refers to it in other ways is out of the way.
    let others = "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS line FROM pg_constraint
        WHERE contype = 'f' AND confrelid IN ('reports'::regclass, 'measures'::regclass, 'areas'::regclass)";
    for statement in lines(&mut one, others).await {
        one.batch_execute(&statement).await.unwrap();
    }
    for (table, key, named, new, rule) in [
        (
            "reports",
            "id",
            "report_id",
            "gen_random_uuid()",
            "observation_report_exists",
        ),
        (
            "measures",
            "code",
            "measure_code",
            "'another'",
            "observation_measure_exists",
        ),
        (
            "areas",
            "code",
            "area_code",
            "overlay(code placing '99' from 3)",
            "observation_area_exists",
        ),
    ] {
        let observed = format!(
            "{key} = (SELECT {named} FROM observations WHERE length(area_code) = 4 LIMIT 1)"
        );
        for statement in [
            format!("DELETE FROM {table} WHERE {observed}"),
            format!("UPDATE {table} SET {key} = {new} WHERE {observed}"),
        ] {
            assert_eq!(
                refused(one.batch_execute(&statement).await),
                rule,
                "{statement}"
            );
        }
    }

    // A measure that nobody observes yet.
    let measure = "INSERT INTO measures SELECT (jsonb_populate_record(m, '{\"code\": \"rivals\"}')).* FROM measures m WHERE code = 'pupils'";
    let write = insert("report", "'rivals'", "there.area");
    let delete = "DELETE FROM measures WHERE code = 'rivals'";
    for (first, second, rule) in [
        (write.as_str(), delete, "observation_measure_exists"),
        (delete, write.as_str(), "observation_measure_exists"),
    ] {
        one.batch_execute(measure).await.unwrap();
        one.batch_execute("BEGIN").await.unwrap();
        one.batch_execute(first).await.unwrap();
        let waits = "SELECT count(*)::text AS line FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let (late, ()) = futures_util::join!(other.batch_execute(second), async {
            while lines(&mut one, waits).await != ["1"] {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            one.batch_execute("COMMIT").await.unwrap();
        });
        assert_eq!(refused(late), rule, "{first}");
        one.batch_execute("DELETE FROM observations WHERE measure_code = 'rivals'; DELETE FROM measures WHERE code = 'rivals'")
            .await
            .unwrap();
    }
}
