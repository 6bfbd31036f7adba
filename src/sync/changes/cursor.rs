//! The cursor of the feed: opaque to clients, and never trusted further than it agrees with the request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::store::Standing;
use crate::access::{Permission, Reach};
use crate::http::BASE_PATH;
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, Text, text};
use crate::sync::types::EntityType;

/// The version of the format, the first byte.
const FORMAT: u8 = 1;

/// A position in the feed, and what it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Whose numbers these are.
    pub epoch: Uuid,
    /// Everything up to this number has been seen.
    pub seq: i64,
    /// The newest number when the client began with nothing: what was deleted up to there it never had.
    pub began: i64,
    /// The types asked for.
    pub filter: u32,
    /// What the client may see.
    pub scope: u32,
}

/// Why a cursor cannot be followed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Deletions that it would have to tell were removed.
    Expired,
    /// Its numbers were lost in a failover, or belong to another database.
    Lost,
    /// The client may see other rows than before.
    ScopeChanged,
    /// Other types are asked for than before.
    FilterChanged,
}

impl Cursor {
    /// As clients carry it.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(self.epoch.as_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.began.to_be_bytes());
        bytes.extend_from_slice(&self.filter.to_be_bytes());
        bytes.extend_from_slice(&self.scope.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`Self::encode`] wrote.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (format, rest) = bytes.split_first()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (seq, rest) = rest.split_first_chunk()?;
        let (began, rest) = rest.split_first_chunk()?;
        let (filter, rest) = rest.split_first_chunk()?;
        let (scope, rest) = rest.split_first_chunk()?;
        let cursor = Self {
            epoch: Uuid::from_bytes(*epoch),
            seq: i64::from_be_bytes(*seq),
            began: i64::from_be_bytes(*began),
            filter: u32::from_be_bytes(*filter),
            scope: u32::from_be_bytes(*scope),
        };
        let possible = *format == FORMAT && rest.is_empty() && cursor.seq >= 0 && cursor.began >= 0;
        possible.then_some(cursor)
    }

    /// Reads the cursor of a request; none if it is left out or empty.
    ///
    /// # Errors
    /// 400 for a text that is none.
    pub fn read(text: Option<&str>) -> ApiResult<Option<Self>> {
        match text {
            None | Some("") => Ok(None),
            Some(text) => Self::decode(text)
                .map(Some)
                .ok_or_else(Problem::invalid_cursor),
        }
    }

    /// Whether the position can be followed by someone who asks for these types and may see this much.
    ///
    /// # Errors
    /// The reason why not; the client then begins anew.
    pub fn check(&self, filter: u32, scope: u32, standing: &Standing) -> Result<(), Lost> {
        if self.scope != scope {
            return Err(Lost::ScopeChanged);
        }
        if self.filter != filter {
            return Err(Lost::FilterChanged);
        }
        let mut epochs = standing.epochs.iter();
        if !epochs.any(|epoch| epoch.id == self.epoch) {
            return Err(Lost::Lost);
        }
        // Numbers of an older epoch are good as far as the next one took them over; those of this one as far as there
        // are any.
        let end = epochs
            .next()
            .map_or(standing.newest, |next| next.first_seq - 1);
        if self.seq > end {
            return Err(Lost::Lost);
        }
        if self.seq.max(self.began) < standing.oldest {
            return Err(Lost::Expired);
        }
        Ok(())
    }
}

/// A short fingerprint of the types asked for. Whoever names none goes on with all, those of later versions too.
#[must_use]
pub fn filter_of(types: Option<&[EntityType]>) -> u32 {
    let Some(types) = types else {
        return short("*");
    };
    let mut names: Vec<&str> = types.iter().map(|of| of.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    short(&names.join(","))
}

/// A short fingerprint of what a client may see.
#[must_use]
pub fn scope_of(reach: &Reach, may: impl Fn(Permission) -> bool) -> u32 {
    let mut areas: Vec<&str> = reach.areas().iter().map(String::as_str).collect();
    areas.sort_unstable();
    areas.dedup();
    let rights = [
        Permission::RegistryRead,
        Permission::ParticipationRead,
        Permission::ContactsRead,
    ];
    let rights: Vec<&str> = rights
        .into_iter()
        .filter(|right| may(*right))
        .map(Permission::as_str)
        .collect();
    short(&format!("{}|{}", areas.join(","), rights.join(",")))
}

fn short(text: &str) -> u32 {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .first_chunk()
        .map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

impl Lost {
    /// The stable code of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "cursor_expired",
            Self::Lost => "cursor_lost",
            Self::ScopeChanged => "scope_changed",
            Self::FilterChanged => "filter_changed",
        }
    }

    fn sentence(self) -> Text {
        match self {
            Self::Expired => text(
                "Markören är äldre än de borttagningar som fortfarande går att få.",
                "The cursor is older than the deletions that are still told.",
            ),
            Self::Lost => text(
                "Markörens nummer gick förlorade när databasen ersattes.",
                "The numbers of the cursor were lost when the database was replaced.",
            ),
            Self::ScopeChanged => text(
                "Klienten får se andra rader än när markören gavs.",
                "The client may see other rows than when the cursor was given.",
            ),
            Self::FilterChanged => text(
                "types är något annat än när markören gavs.",
                "types is something else than when the cursor was given.",
            ),
        }
    }
}

impl From<Lost> for Problem {
    fn from(lost: Lost) -> Self {
        log::info!(reason = lost.code(); "a cursor of the feed cannot be followed");
        Self::new(ProblemKind::CursorGone)
            .detail(text(
                "Börja om med /snapshot, och ersätt kopian med svaret.",
                "Begin anew with /snapshot, and replace the copy by the answer.",
            ))
            .fault(Fault::parameter("cursor", lost.code(), lost.sentence()))
            .with_header(
                actix_web::http::header::LINK,
                &format!("<{BASE_PATH}/snapshot>; rel=\"start\""),
            )
    }
}

#[cfg(test)]
mod tests {
    use super::super::epoch::Epoch;
    use super::*;

    fn standing() -> Standing {
        let epoch = |n, first_seq| Epoch {
            id: Uuid::from_u128(n),
            first_seq,
        };
        Standing {
            epoch: epoch(2, 68),
            epochs: vec![epoch(1, 1), epoch(2, 68)],
            oldest: 5,
            newest: 1_000_200,
        }
    }

    fn at(n: u128, seq: i64) -> Cursor {
        Cursor {
            epoch: Uuid::from_u128(n),
            seq,
            began: 0,
            filter: 7,
            scope: 8,
        }
    }

    #[test]
    fn a_cursor_survives_its_travel_and_nothing_else_is_one() {
        let cursor = Cursor {
            began: 123_456_789_012,
            ..at(3, 90)
        };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        for wrong in ["AAAA", "å", "", "AQ=="] {
            assert_eq!(Cursor::decode(wrong), None, "{wrong}");
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor.encode()).unwrap();
        let altered = |change: fn(&mut Vec<u8>)| {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            Cursor::decode(&URL_SAFE_NO_PAD.encode(bytes))
        };
        assert_eq!(altered(|bytes| bytes[0] = 2), None, "another format");
        assert_eq!(altered(|bytes| bytes.push(0)), None, "too long");
        assert_eq!(altered(|bytes| bytes[17] = 0x80), None, "below zero");
    }

    #[test]
    fn numbers_lost_in_a_failover_are_refused_and_the_others_go_on() {
        let check = |cursor: Cursor| cursor.check(7, 8, &standing());
        assert_eq!(check(at(1, 67)), Ok(()));
        assert_eq!(
            check(at(1, 68)),
            Err(Lost::Lost),
            "seen only by the lost one"
        );
        assert_eq!(check(at(2, 1_000_200)), Ok(()));
        assert_eq!(
            check(at(2, 1_000_201)),
            Err(Lost::Lost),
            "no such number yet"
        );
        assert_eq!(check(at(9, 67)), Err(Lost::Lost));
    }

    #[test]
    fn old_positions_expire_unless_the_client_began_after_them() {
        let check = |cursor: Cursor| cursor.check(7, 8, &standing());
        assert_eq!(check(at(1, 4)), Err(Lost::Expired));
        assert_eq!(check(at(1, 5)), Ok(()));
        let beginner = Cursor {
            began: 60,
            ..at(1, 2)
        };
        assert_eq!(check(beginner), Ok(()));
        let slow = Cursor {
            began: 4,
            ..at(1, 2)
        };
        assert_eq!(check(slow), Err(Lost::Expired));
    }

    #[test]
    fn a_cursor_belongs_to_its_types_and_rights() {
        let check = |filter, scope| at(1, 6).check(filter, scope, &standing());
        assert_eq!(check(1, 8), Err(Lost::FilterChanged));
        assert_eq!(check(7, 1), Err(Lost::ScopeChanged));
        let two = [EntityType::Partners, EntityType::Projects];
        let turned = [
            EntityType::Projects,
            EntityType::Partners,
            EntityType::Projects,
        ];
        assert_eq!(filter_of(Some(&two)), filter_of(Some(&turned)));
        assert_ne!(filter_of(Some(&two)), filter_of(None));
        let reach = |areas: &[&str]| Reach::of(areas.iter().map(|area| (*area).to_owned()));
        let registry = |permission| permission == Permission::RegistryRead;
        assert_eq!(
            scope_of(&reach(&["18", "19"]), registry),
            scope_of(&reach(&["19", "18", "19"]), registry)
        );
        assert_ne!(
            scope_of(&reach(&["18"]), registry),
            scope_of(&reach(&["18"]), |_| true)
        );
    }
}
