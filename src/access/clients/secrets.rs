//! `/clients/{clientId}/secrets`

use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, post, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::admin;
use super::api::{Clients, held, not_more_than, read_permissions};
use super::model::SecretRow;
use crate::access::bearer::Revocations;
use crate::access::permission::ClientsAdmin;
use crate::access::{Grant, Permission};
use crate::clock::Clock;
use crate::db::Db;
use crate::http::list::{Created, Deleted};
use crate::http::once::{Answer, Once};
use crate::http::resource::Resource;
use crate::problem::ApiResult;

/// A secret of a client, without the secret itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClientSecret)]
pub struct SecretOut {
    /// Id of the row, made by the service (`UUIDv7`).
    pub id: Uuid,
    /// The part of the secret that is not secret: the twelve characters after `smv_`.
    #[schema(example = "k3v7q2mzt5ab")]
    pub public_id: String,
    /// When it was made (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
    /// When it last earned a token (UTC), to the minute; null if it never did.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked (UTC); null while it works.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A secret that has just been made.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NewClientSecret)]
pub struct NewSecretOut {
    /// Id of the row, made by the service (`UUIDv7`): what revokes it.
    pub id: Uuid,
    /// The part of the secret that is not secret: the twelve characters after `smv_`.
    #[schema(example = "k3v7q2mzt5ab")]
    pub public_id: String,
    /// The secret. It is shown here and never again.
    #[schema(example = "smv_k3v7q2mzt5ab_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    pub client_secret: String,
    /// When it was made (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
}

impl SecretOut {
    pub(super) fn from_row(row: SecretRow) -> Self {
        let SecretRow {
            id,
            client_id: _,
            public_id,
            created_at,
            last_used_at,
            revoked_at,
        } = row;
        Self {
            id,
            public_id,
            created_at,
            last_used_at,
            revoked_at,
        }
    }
}

/// 201 with a secret in it, which no cache may keep.
pub(super) struct ShownOnce<T>(pub(super) Created<T>);

impl<T: Serialize> Responder for ShownOnce<T> {
    type Body = BoxBody;
    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let mut response = self.0.respond_to(req);
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create_client_secret)
        .service(delete_client_secret);
}

/// Create a secret
///
/// For changing over without an outage: make a second secret, roll it out, revoke the first. The answer carries it
/// once; `Location` is the client's, and the `ETag` carries the client's version. A client has two working secrets at
/// the most (409). You must have every permission of the client, since whoever has its secret can act as the client.
#[utoipa::path(tag = "administration", operation_id = "create_client_secret", params(("clientId" = Uuid, Path, description = "Id of the client's row", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::ClientsAdmin.as_str()])), responses((status = 201, description = "The new secret", body = NewSecretOut)))]
#[post("/clients/{clientId}/secrets")]
async fn create_client_secret(
    db: Db,
    grant: Grant<ClientsAdmin>,
    once: Once,
    id: web::Path<Uuid>,
) -> ApiResult<Answer<ShownOnce<NewSecretOut>>> {
    once.write_secret(&db, &grant, async |conn| {
        let client = held(conn, &grant, *id).await?;
        not_more_than(&grant, &read_permissions(&client.permissions))?;
        admin::still_active(&client)?;
        let made = admin::add_secret(conn, &client).await?;
        log::info!(client = client.client_id.as_str(), secret = made.row.public_id.as_str(), by = grant.client_id(); "secret made");
        Ok(ShownOnce(Created {
            path: format!("{}/{}?include=secrets", Clients::PATH, client.id),
            version: client.version,
            row: NewSecretOut {
                id: made.row.id,
                public_id: made.row.public_id,
                client_secret: made.text.expose().to_owned(),
                created_at: made.row.created_at,
            },
        }))
    })
    .await
}

/// Revoke a secret
///
/// It earns no more tokens, and the tokens that the client has are refused within seconds, whichever secret earned
/// them: the client fetches a new one with its other secret. No `If-Match` is needed, so that nothing stands between
/// you and revoking a secret that has leaked. Revoking it again changes nothing.
#[utoipa::path(tag = "administration", operation_id = "delete_client_secret", params(
        ("clientId" = Uuid, Path, description = "Id of the client's row", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"),
        ("secretId" = Uuid, Path, description = "Id of the secret's row", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c7")),
    security(("bearer" = [Permission::ClientsAdmin.as_str()])), responses((status = 204, description = "Revoked")))]
#[delete("/clients/{clientId}/secrets/{secretId}")]
async fn delete_client_secret(
    db: Db,
    grant: Grant<ClientsAdmin>,
    clock: web::Data<Clock>,
    revocations: web::Data<Revocations>,
    path: web::Path<(Uuid, Uuid)>,
) -> ApiResult<Deleted> {
    let (id, secret) = path.into_inner();
    let refused = db
        .write(async |conn| {
            let row = held(conn, &grant, id).await?;
            admin::remove_secret(conn, &row, secret, clock.now()).await
        })
        .await?;
    if let Some(until) = refused {
        revocations.learn([(id, until)], clock.now());
        log::info!(client:% = id, secret:% = secret, by = grant.client_id(); "secret revoked");
    }
    Ok(Deleted)
}
