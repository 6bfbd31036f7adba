//! `/clients`

use std::collections::HashMap;

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::ClientRow;
use super::secrets::{self, SecretOut, ShownOnce};
use super::{admin, store};
use crate::access::bearer::Revocations;
use crate::access::permission::ClientsAdmin;
use crate::access::{Grant, Permission, Reach};
use crate::clock::Clock;
use crate::db::fragment::{Bind, Condition};
use crate::db::window::Window;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::{MergePatch, Valid, valid};
use crate::http::etag::Expected;
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::once::{Answer, Once};
use crate::http::params::{AnyOf, ListParams, ListQuery, One, Params, RowQuery};
use crate::http::resource::{self, Kept, Resource, View};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
use crate::schema::clients;
use crate::values::{AreaCode, Line};

/// A machine that may call the API.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Client)]
pub struct ClientOut {
    /// Id of the row, made by the service (`UUIDv7`); `sub` in the client's tokens.
    pub id: Uuid,
    /// The public id that the client signs in with; not secret.
    #[schema(example = "client_k3v7q2mzt5abcdef")]
    pub client_id: String,
    /// What the client is and whose.
    #[schema(example = "Örebro läns rapportportal")]
    pub name: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// Where: municipalities, counties, districts, or `SE`.
    #[schema(example = json!(["18"]))]
    pub areas: Vec<String>,
    /// Its secrets, oldest first, those that were revoked as well. Only with `include=secrets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretOut>>,
    /// When it was revoked (UTC); null while it may sign in.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// Counts the changes of the row; its `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When the row was made (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
    /// When the row was last changed (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: DateTime<Utc>,
}

/// A client that has just been made, with its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NewClient)]
pub struct NewClientOut {
    /// Id of the row, made by the service (`UUIDv7`); `sub` in the client's tokens.
    pub id: Uuid,
    /// The public id that the client signs in with; not secret.
    #[schema(example = "client_k3v7q2mzt5abcdef")]
    pub client_id: String,
    /// The secret that goes with it. It is shown here and never again.
    #[schema(example = "smv_k3v7q2mzt5ab_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    pub client_secret: String,
    /// What the client is and whose.
    #[schema(example = "Örebro läns rapportportal")]
    pub name: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// Where: municipalities, counties, districts, or `SE`.
    #[schema(example = json!(["18"]))]
    pub areas: Vec<String>,
    /// Always null: the client is new.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// Counts the changes of the row; its `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When the row was made (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
    /// When the row was last changed (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: DateTime<Utc>,
}

/// A client to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "Örebro läns rapportportal", "permissions": ["registry:read", "participation:read"], "areas": ["18"]}))]
pub struct ClientIn {
    /// What the client is and whose; no person's name.
    #[garde(dive)]
    pub name: Line,
    /// What it may do: at least one, and none that you do not have yourself.
    #[garde(skip)]
    #[schema(min_items = 1)]
    pub permissions: Vec<Permission>,
    /// Where: at least one, each inside your own areas.
    #[garde(dive)]
    #[schema(min_items = 1)]
    pub areas: Vec<AreaCode>,
}

/// Filters of `/clients`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClientFilter {
    /// With any of these permissions, comma separated.
    #[param(value_type = Option<Vec<Permission>>, style = Form, explode = false)]
    pub permission: Option<AnyOf<Permission>>,
    /// That may act in this area: they hold it, or one that it lies in.
    #[param(value_type = Option<String>, example = "1880")]
    pub area: Option<One<AreaCode>>,
}

/// The filters, and whether revoked clients are wanted: what `includeDeleted` means here.
pub(crate) struct Selection {
    filter: ClientFilter,
    revoked: bool,
}

/// The resource, as far as it is like all others: it is read like them. Writing needs the clock and the grant.
pub(crate) struct Clients;

impl Resource for Clients {
    const PATH: &'static str = "/clients";
    const INCLUDES: &'static [&'static str] = &["secrets"];
    type Row = ClientRow;
    type Out = ClientOut;
    type Filter = Selection;

    /// Those whose areas all lie inside.
    fn visible(reach: &Reach) -> Condition {
        if reach.is_national() {
            return Condition::sql("true");
        }
        Condition::with(
            "NOT EXISTS (SELECT FROM unnest(areas) AS held (area) \
             WHERE NOT EXISTS (SELECT FROM unnest(?) AS own (area) WHERE starts_with(held.area, own.area)))",
            [Bind::from(reach.areas().to_vec())],
        )
    }

    /// Those of clients whose areas then all lay inside.
    fn visible_then(reach: &Reach) -> Condition {
        if reach.is_national() {
            return Condition::sql("true");
        }
        Condition::with(
            "NOT EXISTS (SELECT FROM jsonb_array_elements_text(history.row -> 'areas') AS held (area) \
             WHERE NOT EXISTS (SELECT FROM unnest(?) AS own (area) WHERE starts_with(held.area, own.area)))",
            [Bind::from(reach.areas().to_vec())],
        )
    }

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<ClientRow>> {
        store::find(conn, *id).await
    }

    async fn list(
        conn: &Conn,
        selection: &Selection,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<ClientRow>, Option<i64>)> {
        store::list(conn, window, || selection.apply(conditions)).await
    }

    async fn show(conn: &Conn, view: &View, rows: Vec<ClientRow>) -> QueryResult<Vec<ClientOut>> {
        let mut secrets: Option<HashMap<Uuid, Vec<SecretOut>>> = None;
        if view.includes("secrets") {
            let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
            let by_client = secrets.get_or_insert_default();
            for row in store::secrets_of(conn, &ids).await? {
                by_client
                    .entry(row.client_id)
                    .or_default()
                    .push(SecretOut::from_row(row));
            }
        }
        Ok(rows
            .into_iter()
            .map(|row| {
                let own = secrets
                    .as_mut()
                    .map(|secrets| secrets.remove(&row.id).unwrap_or_default());
                ClientOut::from_row(row, own)
            })
            .collect())
    }
}

impl Selection {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = clients::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if !self.revoked {
            query = query.filter(clients::revoked_at.is_null());
        }
        if let Some(AnyOf(permissions)) = &self.filter.permission {
            let permissions: Vec<&str> = permissions.iter().map(|asked| asked.as_str()).collect();
            query = query.filter(clients::permissions.overlaps_with(permissions));
        }
        if let Some(One(area)) = &self.filter.area {
            query = query.filter(Condition::with(
                "EXISTS (SELECT FROM unnest(areas) AS held (area) WHERE held.area = 'SE' OR starts_with(?, held.area))",
                [Bind::from(area.as_str())],
            ));
        }
        query
    }
}

impl ClientOut {
    pub(super) fn from_row(row: ClientRow, secrets: Option<Vec<SecretOut>>) -> Self {
        let ClientRow {
            id,
            client_id,
            name,
            permissions,
            areas,
            revoked_at,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id,
            client_id,
            name,
            permissions: read_permissions(&permissions),
            areas,
            secrets,
            revoked_at,
            version,
            created_at,
            updated_at,
        }
    }

    fn with_secret(self, client_secret: String) -> NewClientOut {
        let Self {
            id,
            client_id,
            name,
            permissions,
            areas,
            secrets: _,
            revoked_at,
            version,
            created_at,
            updated_at,
        } = self;
        NewClientOut {
            id,
            client_id,
            client_secret,
            name,
            permissions,
            areas,
            revoked_at,
            version,
            created_at,
            updated_at,
        }
    }
}

impl ClientIn {
    fn from_row(row: &ClientRow) -> Self {
        Self {
            name: Line::trusted(row.name.clone()),
            permissions: read_permissions(&row.permissions),
            areas: row.areas.iter().map(AreaCode::trusted).collect(),
        }
    }

    /// Fails unless the administrator holds everything that is given away here.
    fn within(&self, grant: &Grant<ClientsAdmin>) -> ApiResult<()> {
        for (n, area) in self.areas.iter().enumerate() {
            grant.cover(area.as_str(), &format!("/areas/{n}"))?;
        }
        not_more_than(grant, &self.permissions)
    }
}

/// The database allows known codes only; one that this version does not know is not shown.
pub(super) fn read_permissions(stored: &[String]) -> Vec<Permission> {
    stored.iter().filter_map(|code| code.parse().ok()).collect()
}

/// Fails if one of the permissions is not the administrator's own: nobody rises by making a client.
pub(super) fn not_more_than(
    grant: &Grant<ClientsAdmin>,
    permissions: &[Permission],
) -> ApiResult<()> {
    let faults: Vec<Fault> = permissions
        .iter()
        .enumerate()
        .filter(|(_, permission)| !grant.also(**permission))
        .map(|(n, permission)| {
            Fault::at(
                format!("/permissions/{n}"),
                "permission_not_held",
                text(
                    format!("Du har inte själv behörigheten {permission}."),
                    format!("You do not have the permission {permission} yourself."),
                ),
            )
        })
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::InsufficientPermission)
        .detail(text(
            "En klient får inte fler behörigheter än den som sköter den.",
            "A client gets no more permissions than whoever administers it has.",
        ))
        .faults(faults))
}

/// The client, locked, if the caller may see it: then all its areas lie in the caller's.
pub(super) async fn held(
    conn: &Conn,
    grant: &Grant<ClientsAdmin>,
    id: Uuid,
) -> Result<ClientRow, WriteError> {
    let row = store::lock(conn, id).await?;
    Ok(row
        .filter(|row| row.visible(grant.reach()))
        .ok_or_else(Problem::not_found)?)
}

/// Fails unless the caller has seen the present version.
fn seen(row: &ClientRow, expected: &Expected) -> ApiResult<()> {
    if expected.allows(row.version) {
        return Ok(());
    }
    let version = row.version;
    let current = serde_json::to_value(ClientOut::from_row(row.clone(), None));
    Err(Problem::new(ProblemKind::PreconditionFailed)
        .detail(text(
            format!("Radens version är nu {version}."),
            format!("The row's version now is {version}."),
        ))
        .current(current.map_err(Problem::internal)?))
}

async fn reread(conn: &Conn, id: Uuid) -> Result<ClientOut, WriteError> {
    let row = store::find(conn, id).await?.ok_or(diesel::NotFound)?;
    Ok(ClientOut::from_row(row, None))
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_clients)
        .service(create_client)
        .service(get_client)
        .service(update_client)
        .service(delete_client)
        .configure(secrets::routes);
}

/// List clients
///
/// The clients whose areas all lie in yours, by name. Revoked ones come with `includeDeleted=true`; their `revokedAt`
/// says when. With `include=secrets` each shows which secrets it has and when they last were used.
#[utoipa::path(tag = "administration", operation_id = "list_clients", params(ListQuery, ClientFilter),
    security(("bearer" = [Permission::ClientsAdmin.as_str()])), responses((status = 200, description = "A page of clients", body = Page<ClientOut>)))]
#[get("/clients")]
async fn list_clients(
    req: HttpRequest,
    db: Db,
    grant: Grant<ClientsAdmin>,
    params: ListParams<ClientFilter>,
) -> ApiResult<Listing<ClientOut>> {
    let ListParams { mut list, filter } = params;
    // The table has no tombstones; the selection looks at `revoked_at` instead.
    let revoked = std::mem::replace(&mut list.include_deleted, true);
    let filter = Selection { filter, revoked };
    resource::list::<Clients, _>(&req, &db, &grant, &ListParams { list, filter }).await
}

/// Create a client
///
/// The answer carries the client's secret, once: only its hash is kept. You give away no permission that you do not
/// have and no area outside yours.
#[utoipa::path(tag = "administration", operation_id = "create_client", request_body = ClientIn,
    security(("bearer" = [Permission::ClientsAdmin.as_str()])), responses((status = 201, description = "The new client with its secret", body = NewClientOut)))]
#[post("/clients")]
async fn create_client(
    db: Db,
    grant: Grant<ClientsAdmin>,
    once: Once,
    body: Valid<ClientIn>,
) -> ApiResult<Answer<ShownOnce<NewClientOut>>> {
    let Valid(new) = body;
    new.within(&grant)?;
    once.write_secret(&db, &grant, async |conn| {
        let made = admin::create(conn, &new.name, &new.permissions, &new.areas).await?;
        let client = reread(conn, made.id).await?;
        log::info!(client = client.client_id.as_str(), by = grant.client_id(); "client made");
        Ok(ShownOnce(Created {
            path: format!("{}/{}", Clients::PATH, client.id),
            version: client.version,
            row: client.with_secret(made.secret.expose().to_owned()),
        }))
    })
    .await
}

/// Show a client
///
/// With its `ETag`, which a later change sends back in `If-Match`. A revoked client is shown as well, with `revokedAt`. With
/// `asOf` what it was allowed to do at that time.
#[utoipa::path(tag = "administration", operation_id = "get_client", params(("clientId" = Uuid, Path, description = "Id of the client's row", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), RowQuery),
    security(("bearer" = [Permission::ClientsAdmin.as_str()])), responses((status = 200, description = "The client", body = ClientOut)))]
#[get("/clients/{clientId}")]
async fn get_client(
    req: HttpRequest,
    db: Db,
    grant: Grant<ClientsAdmin>,
    id: web::Path<Uuid>,
    query: Params<RowQuery>,
) -> ApiResult<Item<ClientOut>> {
    resource::show_as_of::<Clients, _>(&req, &db, &grant, &id, &query.0).await
}

/// Change a client
///
/// A JSON Merge Patch of name, permissions and areas. A client that loses a permission or an area must fetch a new
/// token: the ones it has are refused within seconds. One that gains something may wait until its token runs out.
#[utoipa::path(tag = "administration", operation_id = "update_client", params(("clientId" = Uuid, Path, description = "Id of the client's row", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = ClientIn,
    security(("bearer" = [Permission::ClientsAdmin.as_str()])), responses((status = 200, description = "The client as it is now", body = ClientOut)))]
#[patch("/clients/{clientId}")]
async fn update_client(
    req: HttpRequest,
    db: Db,
    grant: Grant<ClientsAdmin>,
    clock: web::Data<Clock>,
    revocations: web::Data<Revocations>,
    id: web::Path<Uuid>,
    patch: MergePatch,
) -> ApiResult<Changed<ClientOut>> {
    let expected = Expected::from_request(&req)?;
    let (row, refused) = db
        .write(async |conn| {
            let row = held(conn, &grant, *id).await?;
            seen(&row, &expected)?;
            let before = ClientIn::from_row(&row);
            let draft = serde_json::to_value(&before).map_err(Problem::internal)?;
            let after: ClientIn = valid(patch.apply(draft))?;
            after.within(&grant)?;
            let mut refused = None;
            if after != before {
                let content = (
                    &after.name,
                    after.permissions.as_slice(),
                    after.areas.as_slice(),
                );
                refused = admin::change(conn, &row, content, clock.now()).await?;
            }
            Ok((reread(conn, row.id).await?, refused))
        })
        .await?;
    if let Some(until) = refused {
        revocations.learn([(row.id, until)], clock.now());
        log::info!(client = row.client_id.as_str(), by = grant.client_id(); "client narrowed");
    }
    let version = row.version;
    Ok(Changed { row, version })
}

/// Revoke a client
///
/// Its secrets earn no more tokens, and the tokens it has are refused within seconds. The row stays, with `revokedAt`,
/// since the history names it. Revoking it again changes nothing.
#[utoipa::path(tag = "administration", operation_id = "delete_client", params(("clientId" = Uuid, Path, description = "Id of the client's row", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::ClientsAdmin.as_str()])), responses((status = 204, description = "Revoked")))]
#[delete("/clients/{clientId}")]
async fn delete_client(
    req: HttpRequest,
    db: Db,
    grant: Grant<ClientsAdmin>,
    clock: web::Data<Clock>,
    revocations: web::Data<Revocations>,
    id: web::Path<Uuid>,
) -> ApiResult<Deleted> {
    let expected = Expected::from_request(&req)?;
    let refused = db
        .write(async |conn| {
            let row = held(conn, &grant, *id).await?;
            seen(&row, &expected)?;
            admin::revoke_row(conn, &row, clock.now()).await
        })
        .await?;
    if let Some(until) = refused {
        revocations.learn([(*id, until)], clock.now());
        log::info!(client:% = *id, by = grant.client_id(); "client revoked");
    }
    Ok(Deleted)
}
