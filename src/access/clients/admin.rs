//! What is done to clients, the same for the API and the command line.
//!
//! Each function is one step of a transaction, for [`crate::db::Shared::write`]. Whether the caller may is the API's
//! question; whoever has the command line may everything.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::model::{ClientChange, ClientRow, SecretRow};
use super::{past, store};
use crate::access::Permission;
use crate::access::audit::{self, AuditAction};
use crate::access::secret::{NewSecret, SecretText, new_client_id};
use crate::db::{Conn, WriteError};
use crate::problem::{Fault, Problem, ProblemKind, text};
use crate::values::{AreaCode, Line};

/// The most room that the areas may take in a token, bytes: some 300 municipalities. With it the longest scope and
/// generous names still fit into [`crate::access::token::MAX_TOKEN_BYTES`].
const AREAS_IN_TOKEN: usize = 2_100;
/// What an area takes in a token besides its code: two quotes and a comma.
const AREA_FRAME: usize = 3;
/// A token that was being issued while the change was being written may be this much younger than the change.
const SETTLING: TimeDelta = TimeDelta::seconds(1);

/// A client that has just been made.
#[derive(Debug)]
pub struct NewClient {
    /// Its row.
    pub id: Uuid,
    /// Its public id.
    pub client_id: String,
    /// Its secret, shown once.
    pub secret: SecretText,
}

/// A secret that has just been made.
#[derive(Debug)]
pub struct MadeSecret {
    /// Its row.
    pub row: SecretRow,
    /// Its text, shown once.
    pub text: SecretText,
}

/// Makes a client with a first secret.
///
/// # Errors
/// 422 for an area that does not exist, for no permission or no area, and for more areas than a token holds.
pub async fn create(
    conn: &Conn,
    name: &Line,
    permissions: &[Permission],
    areas: &[AreaCode],
) -> Result<NewClient, WriteError> {
    check_areas(conn, areas, &[]).await?;
    let id = Uuid::now_v7();
    let client_id = new_client_id().map_err(Problem::internal)?;
    store::insert(conn, id, &client_id, &content(name, permissions, areas)).await?;
    let secret = insert_secret(conn, id).await?.text;
    let held: Vec<&str> = areas.iter().map(AreaCode::as_str).collect();
    past::after_change(conn, id, None).await?;
    note(conn, AuditAction::ClientCreated, &client_id, &held).await?;
    Ok(NewClient {
        id,
        client_id,
        secret,
    })
}

/// Writes the name, permissions and areas of a locked client anew. If it loses any of them, its tokens are refused
/// from now on, and the answer is until when.
///
/// # Errors
/// As [`create`], and 409 for a revoked client.
pub async fn change(
    conn: &Conn,
    row: &ClientRow,
    (name, permissions, areas): (&Line, &[Permission], &[AreaCode]),
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, WriteError> {
    still_active(row)?;
    check_areas(conn, areas, &row.areas).await?;
    let content = content(name, permissions, areas);
    let keeps = |old: &[String], new: &[&str]| old.iter().all(|held| new.contains(&held.as_str()));
    let loses =
        !(keeps(&row.permissions, &content.permissions) && keeps(&row.areas, &content.areas));
    let refuse = loses.then(|| refuse_until(now));
    past::before_change(conn, row).await?;
    let until = store::update(conn, row.id, &content, refuse).await?;
    let after = past::after_change(conn, row.id, Some(row)).await?;
    // Both the areas that it had and those that it has now are concerned.
    let mut concerned: Vec<&str> = row.areas.iter().map(String::as_str).collect();
    concerned.extend(content.areas.iter().copied());
    concerned.sort_unstable();
    concerned.dedup();
    let detail = json!({"client": row.client_id, "before": past::content(row), "after": past::content(&after)});
    audit::note(conn, AuditAction::ClientChanged, &concerned, detail).await?;
    Ok(loses.then_some(until))
}

/// Makes another secret for a locked client.
///
/// # Errors
/// 409 when it has two active ones.
pub async fn add_secret(conn: &Conn, row: &ClientRow) -> Result<MadeSecret, WriteError> {
    let made = insert_secret(conn, row.id).await?;
    note(
        conn,
        AuditAction::ClientSecretCreated,
        &row.client_id,
        &row.areas,
    )
    .await?;
    Ok(made)
}

async fn insert_secret(conn: &Conn, client: Uuid) -> Result<MadeSecret, WriteError> {
    let secret = NewSecret::generate().map_err(Problem::internal)?;
    let row = store::insert_secret(conn, Uuid::now_v7(), client, &secret).await?;
    Ok(MadeSecret {
        row,
        text: secret.text,
    })
}

/// Writes down what was done to a client.
async fn note(
    conn: &Conn,
    action: AuditAction,
    client_id: &str,
    areas: &[impl AsRef<str>],
) -> Result<(), WriteError> {
    audit::note(conn, action, areas, json!({"client": client_id})).await?;
    Ok(())
}

/// Takes a secret from a locked client. The client's tokens are refused from now on, whichever secret earned them: a
/// token does not say. The answer is until when; none if the secret was revoked before.
///
/// # Errors
/// 404 when the client has no such secret.
pub async fn remove_secret(
    conn: &Conn,
    row: &ClientRow,
    secret: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, WriteError> {
    let held = store::secrets_of(conn, &[row.id]).await?;
    if !held.iter().any(|known| known.id == secret) {
        return Err(Problem::not_found().into());
    }
    if store::revoke_secrets(conn, &[secret], now).await? == 0 {
        return Ok(None);
    }
    past::before_change(conn, row).await?;
    let until = store::refuse_tokens(conn, row.id, refuse_until(now)).await?;
    past::after_change(conn, row.id, Some(row)).await?;
    note(
        conn,
        AuditAction::ClientSecretRevoked,
        &row.client_id,
        &row.areas,
    )
    .await?;
    Ok(Some(until))
}

/// Revokes a locked client; the answer is until when its tokens are refused. One that is revoked already stays as it is.
///
/// # Errors
/// When a statement fails.
pub async fn revoke_row(
    conn: &Conn,
    row: &ClientRow,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, WriteError> {
    if row.revoked_at.is_some() {
        return Ok(None);
    }
    past::before_change(conn, row).await?;
    let until = store::revoke(conn, row.id, now, refuse_until(now)).await?;
    past::after_change(conn, row.id, Some(row)).await?;
    note(conn, AuditAction::ClientRevoked, &row.client_id, &row.areas).await?;
    Ok(Some(until))
}

/// Every client, by name, those that were revoked as well.
///
/// # Errors
/// When the query fails.
pub async fn list(conn: &Conn) -> Result<Vec<ClientRow>, WriteError> {
    Ok(store::all(conn).await?)
}

/// Makes a new secret for the client with this public id. Its newest secret goes on working, so that the new one can be
/// rolled out; any older one is revoked, and with it the tokens the client has.
///
/// # Errors
/// 404 for an unknown client, 409 for a revoked one.
pub async fn rotate(
    conn: &Conn,
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<SecretText, WriteError> {
    let row = named(conn, client_id).await?;
    still_active(&row)?;
    let mut active = store::secrets_of(conn, &[row.id]).await?;
    active.retain(|secret| secret.revoked_at.is_none());
    active.pop(); // the newest
    let older: Vec<Uuid> = active.iter().map(|secret| secret.id).collect();
    if store::revoke_secrets(conn, &older, now).await? > 0 {
        past::before_change(conn, &row).await?;
        store::refuse_tokens(conn, row.id, refuse_until(now)).await?;
        past::after_change(conn, row.id, Some(&row)).await?;
        note(
            conn,
            AuditAction::ClientSecretRevoked,
            client_id,
            &row.areas,
        )
        .await?;
    }
    Ok(add_secret(conn, &row).await?.text)
}

/// Revokes the client with this public id.
///
/// # Errors
/// 404 for an unknown client.
pub async fn revoke(conn: &Conn, client_id: &str, now: DateTime<Utc>) -> Result<(), WriteError> {
    let row = named(conn, client_id).await?;
    revoke_row(conn, &row, now).await?;
    Ok(())
}

/// A revoked client is history and is not written any more.
///
/// # Errors
/// 409.
pub fn still_active(row: &ClientRow) -> Result<(), WriteError> {
    if row.revoked_at.is_none() {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::Conflict)
        .fault(Fault::at(
            "",
            "client_revoked",
            text("Klienten är återkallad.", "The client is revoked."),
        ))
        .because(format!("client {} is revoked", row.client_id))
        .into())
}

async fn named(conn: &Conn, client_id: &str) -> Result<ClientRow, WriteError> {
    let row = store::lock_by_client_id(conn, client_id).await?;
    Ok(row.ok_or_else(|| Problem::not_found().because(format!("there is no client {client_id}")))?)
}

/// Until when tokens are refused after something was taken from a client at this time.
fn refuse_until(now: DateTime<Utc>) -> DateTime<Utc> {
    now + SETTLING
}

/// Each permission and area once, in a fixed order.
fn content<'a>(
    name: &'a Line,
    permissions: &[Permission],
    areas: &'a [AreaCode],
) -> ClientChange<'a> {
    let mut permissions = permissions.to_vec();
    permissions.sort_unstable();
    permissions.dedup();
    let mut areas: Vec<&str> = areas.iter().map(AreaCode::as_str).collect();
    areas.sort_unstable();
    areas.dedup();
    ClientChange {
        name: name.as_str(),
        permissions: permissions.into_iter().map(Permission::as_str).collect(),
        areas,
    }
}

/// The areas exist, or the client had them already, and a token has room for them.
async fn check_areas(
    conn: &Conn,
    areas: &[AreaCode],
    already: &[String],
) -> Result<(), WriteError> {
    let room: usize = areas
        .iter()
        .map(|area| area.as_str().len() + AREA_FRAME)
        .sum();
    if room > AREAS_IN_TOKEN {
        return Err(Problem::invalid(Fault::at(
            "/areas",
            "client_areas_too_many",
            text(
                "Så många områden ryms inte i en åtkomsttoken; ge klienten länet eller SE i stället.",
                "An access token has no room for so many areas; give the client the county or SE instead.",
            ),
        ))
        .because("an access token has no room for so many areas")
        .into());
    }
    let added: Vec<&str> = areas
        .iter()
        .map(AreaCode::as_str)
        .filter(|area| !already.iter().any(|held| held == area))
        .collect();
    if added.is_empty() {
        return Ok(());
    }
    let known = store::known_areas(conn, &added).await?;
    let unknown: Vec<(usize, &AreaCode)> = areas
        .iter()
        .enumerate()
        .filter(|(_, area)| added.contains(&area.as_str()))
        .filter(|(_, area)| !known.iter().any(|code| code == area.as_str()))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = unknown.iter().map(|(_, area)| area.as_str()).collect();
    let faults = unknown
        .iter()
        .map(|(n, _)| {
            Fault::at(
                format!("/areas/{n}"),
                "client_area_exists",
                text("Området finns inte.", "The area does not exist."),
            )
        })
        .collect();
    Err(Problem::new(ProblemKind::ValidationFailed)
        .faults(faults)
        .because(format!("there is no area {}", names.join(", ")))
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::token::{DEFAULT_LIFETIME, Issuer};
    use crate::access::{
        keys::{KeyRing, tests::KeyDir},
        token::TokenError,
    };

    fn named(code: &str) -> AreaCode {
        AreaCode::trusted(code)
    }

    #[test]
    fn permissions_and_areas_are_kept_once_and_in_order() {
        let name = Line::trusted("Kontoret");
        let areas = [named("1880"), named("14"), named("1880")];
        let permissions = [
            Permission::Publish,
            Permission::RegistryRead,
            Permission::Publish,
        ];
        let content = content(&name, &permissions, &areas);
        assert_eq!(content.permissions, ["registry:read", "publish"]);
        assert_eq!(content.areas, ["14", "1880"]);
    }

    #[test]
    fn a_token_has_room_for_all_that_a_client_may_have() {
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let keys = KeyDir::new();
        let ring = KeyRing::load_or_create(keys.path(), now).unwrap();
        let long = format!("https://{}.example.se", "a".repeat(80));
        let issuer = Issuer::new(&long, &long, DEFAULT_LIFETIME, ring).unwrap();
        let scope: Vec<&str> = Permission::ALL.iter().map(|p| p.as_str()).collect();
        let issue = |count: usize| {
            let areas = vec!["1880".to_owned(); count];
            issuer.issue(
                Uuid::nil(),
                &new_client_id().unwrap(),
                &scope.join(" "),
                areas,
                now,
            )
        };
        let most = AREAS_IN_TOKEN / (4 + AREA_FRAME);
        assert!(issue(most).is_ok());
        assert!(matches!(issue(most * 2), Err(TokenError::TooLong(_))));
    }
}
