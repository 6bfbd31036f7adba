//! The demo data, and a client to look at it with.

use uuid::Uuid;

use super::{Failure, print};
use crate::access::Permission;
use crate::access::clients::{admin, store};
use crate::access::secret::SecretText;
use crate::clock::Clock;
use crate::db::{Shared, WriteError};
use crate::values::{AreaCode, Line};

/// What the client is called; found again by it at the next start.
const CLIENT: &str = "Demo";
/// The client looks at everything and changes nothing.
pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::RegistryRead,
    Permission::ContactsRead,
    Permission::ParticipationRead,
    Permission::StatisticsRead,
    Permission::SyncRead,
];
/// Where: in the whole country.
pub(super) const AREA: &str = "SE";

/// `samverkan demo`
pub(super) async fn load(db: &Shared) -> Result<(), Failure> {
    let rows = crate::demo::load_if_empty(db).await?;
    print(&match rows {
        0 => "there is data already: nothing was loaded\n".to_owned(),
        rows => format!("wrote {rows} rows of demo data\n"),
    })
}

/// The demo client with a secret that was made just now.
pub(super) struct DemoClient {
    /// Its row.
    pub(super) id: Uuid,
    /// Its public id.
    pub(super) client_id: String,
    /// Its secret: printed, stored nowhere.
    pub(super) secret: SecretText,
}

/// Gives the demo client a new secret, and makes the client at the first start.
///
/// The secret of the start before goes on working, since a second service may run on the same database. Older ones are
/// revoked, but not the tokens that they earned, which is why this is no ordinary rotation: the token that is printed
/// next would be refused with them, and they can only look at demo data for ten minutes more.
pub(super) async fn client(db: &Shared, clock: &Clock) -> Result<DemoClient, Failure> {
    let permissions: Vec<&str> = PERMISSIONS
        .iter()
        .copied()
        .map(Permission::as_str)
        .collect();
    let now = clock.now();
    let client = db
        .write(async |conn| {
            let known = store::all(conn).await?.into_iter().find(|client| {
                client.name == CLIENT
                    && client.revoked_at.is_none()
                    && client.permissions == permissions
                    && client.areas == [AREA]
            });
            let Some(known) = known else {
                let made = admin::create(
                    conn,
                    &Line::trusted(CLIENT),
                    PERMISSIONS,
                    &[AreaCode::trusted(AREA)],
                )
                .await?;
                return Ok(DemoClient {
                    id: made.id,
                    client_id: made.client_id,
                    secret: made.secret,
                });
            };
            // Two services that start at the same moment take turns.
            store::lock(conn, known.id).await?;
            let mut older = store::secrets_of(conn, &[known.id]).await?;
            older.retain(|secret| secret.revoked_at.is_none());
            older.pop(); // that of the start before
            let older: Vec<Uuid> = older.iter().map(|secret| secret.id).collect();
            store::revoke_secrets(conn, &older, now).await?;
            let secret = admin::add_secret(conn, &known).await?.text;
            Ok::<_, WriteError>(DemoClient {
                id: known.id,
                client_id: known.client_id,
                secret,
            })
        })
        .await?;
    Ok(client)
}
