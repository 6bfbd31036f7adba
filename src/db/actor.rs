//! Who acts: told to PostgreSQL at the beginning of a transaction, for triggers and for defaults of columns.
//!
//! The settings `samverkan.client` and `samverkan.request` hold the public id of the client and the id of the request.
//! They end with the transaction; SQL reads them with `nullif(current_setting('samverkan.client', true), '')`. A job that
//! goes on with the work of a request runs in a [`RequestContext`](crate::telemetry::RequestContext) of its own, with
//! the same id and caller, and is told apart from nothing.

use diesel_async::SimpleAsyncConnection;
use futures_util::try_join;

use super::{Conn, WriteError};
use crate::telemetry::{self, RequestContext};

/// Does the work in the transaction that was begun, in the name of the request that it is done for.
///
/// # Errors
/// Those of the work.
pub(crate) async fn act<T>(
    conn: &Conn,
    work: &impl AsyncFn(&Conn) -> Result<T, WriteError>,
) -> Result<T, WriteError> {
    let Some(settings) = telemetry::current().and_then(|context| settings(&context)) else {
        return work(conn).await;
    };
    // Polled first, and sent as text that needs no preparation: it is on its way before the first statement of the work,
    // which does not wait for its answer.
    let told = async {
        let mut speaking = conn;
        speaking.batch_execute(&settings).await?;
        Ok(())
    };
    let ((), done) = try_join!(told, work(conn))?;
    Ok(done)
}

/// Nothing for a request without a client: whoever asks for a token is not known before it has one.
fn settings(context: &RequestContext) -> Option<String> {
    let client = context.caller()?.replace('\'', "''");
    let request = context.id;
    Some(format!(
        "SET LOCAL samverkan.client = '{client}'; SET LOCAL samverkan.request = '{request}'"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::lang::Lang;
    use crate::telemetry::TraceParent;
    use uuid::Uuid;

    #[actix_web::test]
    async fn a_name_cannot_end_its_quotes() {
        let context =
            RequestContext::new(Uuid::nil(), Lang::Sv, TraceParent::from_header_or_new(None));
        assert_eq!(settings(&context), None);
        telemetry::with_context(context.into(), async {
            telemetry::note_caller("o'hara");
            let told = telemetry::current().and_then(|context| settings(&context));
            assert_eq!(
                told.unwrap(),
                "SET LOCAL samverkan.client = 'o''hara'; SET LOCAL samverkan.request = '00000000-0000-0000-0000-000000000000'"
            );
        })
        .await;
    }
}
