//! `samverkan client …`

use serde_json::json;

use super::{Failure, print};
use crate::access::clients::admin;
use crate::access::secret::SecretText;
use crate::clock::Clock;
use crate::config::ClientAction;
use crate::db::Shared;

/// Does what was asked for.
pub(super) async fn run(db: &Shared, action: ClientAction) -> Result<(), Failure> {
    let now = Clock::system().now();
    match action {
        ClientAction::Create {
            name,
            permissions,
            areas,
            json,
        } => {
            let made = db
                .write(async |conn| admin::create(conn, &name, &permissions, &areas).await)
                .await?;
            print(&secret(&made.client_id, &made.secret, json))
        }
        ClientAction::List { json } => list(db, json).await,
        ClientAction::Rotate { client_id, json } => {
            let made = db
                .write(async |conn| admin::rotate(conn, &client_id, now).await)
                .await?;
            print(&secret(&client_id, &made, json))
        }
        ClientAction::Revoke { client_id } => {
            db.write(async |conn| admin::revoke(conn, &client_id, now).await)
                .await?;
            print(&format!("revoked {client_id}\n"))
        }
    }
}

/// A new secret: shown this once.
fn secret(client_id: &str, secret: &SecretText, json: bool) -> String {
    let secret = secret.expose();
    if json {
        return format!(
            "{}\n",
            json!({ "clientId": client_id, "clientSecret": secret })
        );
    }
    format!(
        "client id      {client_id}\nclient secret  {secret}\nKeep the secret now: it is not stored and cannot be shown again.\n"
    )
}

async fn list(db: &Shared, json: bool) -> Result<(), Failure> {
    let clients = db.write(async |conn| admin::list(conn).await).await?;
    if json {
        let clients: Vec<_> = clients
            .iter()
            .map(|client| {
                json!({
                    "clientId": client.client_id,
                    "name": client.name,
                    "permissions": client.permissions,
                    "areas": client.areas,
                    "createdAt": client.created_at,
                    "revokedAt": client.revoked_at,
                })
            })
            .collect();
        return print(&format!("{}\n", serde_json::to_string_pretty(&clients)?));
    }
    let lines: Vec<String> = clients
        .iter()
        .map(|client| {
            let state = client
                .revoked_at
                .map_or_else(String::new, |at| format!("  revoked {at}"));
            let (permissions, areas) = (client.permissions.join(","), client.areas.join(","));
            format!(
                "{}  {}  {permissions}  {areas}{state}\n",
                client.client_id, client.name
            )
        })
        .collect();
    print(&lines.concat())
}
