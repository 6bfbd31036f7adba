//! Transactions of the exclusive lane.

use std::future::pending;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use samverkan::db::connect::{self, Work};
use tokio::time::{sleep, timeout};

use crate::support::TestApp;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// What it had locked is free before PostgreSQL itself ends what is silent for ten seconds.
#[actix_web::test]
async fn a_transaction_that_is_let_go_of_is_taken_back_at_once() {
    let app = TestApp::start().await;
    let writing = app.state.db.write(async |mut conn| {
        diesel::sql_query("LOCK partners")
            .execute(&mut conn)
            .await?;
        pending::<()>().await;
        Ok(())
    });
    let let_go = timeout(Duration::from_secs(1), writing).await;
    assert!(let_go.is_err());
    let mut conn = connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap();
    let sql = "SELECT count(*) AS n FROM pg_locks WHERE relation = 'partners'::regclass";
    for _ in 0..100 {
        let locks: Number = diesel::sql_query(sql).get_result(&mut conn).await.unwrap();
        if locks.n == 0 {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("it is still locked");
}
