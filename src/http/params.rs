//! Query parameters: typed, strict, and never ignored.
//!
//! An unknown parameter is a 400 that names it and the nearest known one: a filter with a slip of the pen would
//! otherwise silently select everything.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::str::FromStr;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, ResponseError, web};
use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::ParameterIn;
use utoipa::{IntoParams, ToSchema};

mod query_text;

use query_text::{pairs, printable};

use super::fallback::Routes;
use super::words::plainly;
use super::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::problem::{Fault, Problem, ProblemKind, text};

/// The parameters that every list has.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// The page, from 1. A page beyond the last is an empty list.
    #[param(default = 1, minimum = 1, example = 1)]
    pub page: Option<i64>,
    /// Rows of a page, 1–1000.
    #[param(default = 20, minimum = 1, maximum = 1000, example = 20)]
    pub limit: Option<i64>,
    /// Where to go on, from `_links.next` of the answer before; an empty value begins. No row is lost or doubled
    /// while rows are added, and there is no total. Not together with `page`.
    #[param(example = "")]
    pub cursor: Option<String>,
    /// What to sort by, comma separated, `-` for descending. Text follows Swedish rules; missing values come last.
    pub sort: Option<String>,
    /// Which fields to answer with, comma separated. The answer then is of type `application/vnd.samverkan.selection+json`.
    pub fields: Option<String>,
    /// What to add to each row, comma separated; one query each, never one per row.
    pub include: Option<String>,
    /// Search: whole words in any form, beginnings, and similar spelling (`orebro` finds Örebro). At least two
    /// characters; an empty value searches for nothing.
    #[param(max_length = 200, pattern = r"^\s*$|\S.*\S")]
    pub q: Option<String>,
    /// Only rows changed at this time or later (RFC 3339).
    #[param(value_type = Option<DateTime<Utc>>, example = "2026-01-01T00:00:00Z")]
    pub updated_since: Option<DateTime<Utc>>,
    /// Deleted rows as well, with `deletedAt`.
    #[serde(default)]
    #[param(default = false, value_type = Option<bool>)]
    pub include_deleted: bool,
    /// The format, if the `Accept` header cannot be set.
    pub format: Option<Format>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<super::lang::Lang>,
}

/// The parameters of a single row.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ItemQuery {
    /// Which fields to answer with, comma separated. The answer then is of type `application/vnd.samverkan.selection+json`.
    pub fields: Option<String>,
    /// What to add to the answer, comma separated.
    pub include: Option<String>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<super::lang::Lang>,
}

/// The parameters of a single row that has a history.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RowQuery {
    /// Which fields to answer with, comma separated. The answer then is of type `application/vnd.samverkan.selection+json`.
    pub fields: Option<String>,
    /// What to add to the answer, comma separated.
    pub include: Option<String>,
    /// The row as it was at this time (RFC 3339), with what belongs to it: 404 before it was made and before its history
    /// begins, 410 after it was deleted. A time to come gives the row as it is.
    #[param(value_type = Option<DateTime<Utc>>, example = "2026-01-15T08:00:00Z")]
    pub as_of: Option<DateTime<Utc>>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<super::lang::Lang>,
}

impl RowQuery {
    /// What it asks of the present row.
    #[must_use]
    pub fn now(&self) -> ItemQuery {
        ItemQuery {
            fields: self.fields.clone(),
            include: self.include.clone(),
            lang: self.lang,
        }
    }
}

/// No parameters but the language.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NoQuery {
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<super::lang::Lang>,
}

/// The formats of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `application/json`
    Json,
    /// `text/csv`, RFC 4180, comma, UTF-8
    Csv,
    /// A workbook of Excel with one sheet
    Xlsx,
}

impl ListQuery {
    /// Rows of a page.
    #[must_use]
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Refuses what a list in a fixed order has no use for: a parameter is never ignored.
    ///
    /// # Errors
    /// 400 for `sort`, `q`, `include` and `updatedSince`.
    pub fn refuse_order_and_search(&self) -> Result<(), Problem> {
        let given = [
            ("sort", self.sort.is_some()),
            ("q", self.q.is_some()),
            ("include", self.include.is_some()),
            ("updatedSince", self.updated_since.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((name, _)) => Err(Problem::parameter(
                name,
                "not_supported",
                text(
                    "Listan har en fast ordning och går inte att söka i.",
                    "The list has a fixed order and cannot be searched.",
                ),
            )),
        }
    }

    fn check(&self) -> Result<(), Problem> {
        if !(1..=MAX_LIMIT).contains(&self.limit()) {
            return Err(Problem::parameter(
                "limit",
                "out_of_range",
                text("limit ska vara 1–1000.", "limit must be 1–1000."),
            ));
        }
        // A page so far out that its offset is no number any more is refused; any other is an empty list.
        if !(1..=1_000_000_000).contains(&self.page.unwrap_or(1)) {
            return Err(Problem::parameter(
                "page",
                "out_of_range",
                text(
                    "page ska vara 1–1 000 000 000.",
                    "page must be 1–1 000 000 000.",
                ),
            ));
        }
        if self.page.is_some() && self.cursor.is_some() {
            return Err(Problem::parameter(
                "cursor",
                "page_or_cursor",
                text(
                    "Ange page eller cursor, inte båda.",
                    "Give page or cursor, not both.",
                ),
            ));
        }
        if self.q.as_deref().is_some_and(|q| q.chars().count() > 200) {
            return Err(Problem::parameter(
                "q",
                "text_too_long",
                text(
                    "q får ha högst 200 tecken.",
                    "q may have 200 characters at the most.",
                ),
            ));
        }
        if self
            .q
            .as_deref()
            .is_some_and(|q| q.trim().chars().count() == 1)
        {
            // One letter is in nearly every name: no index finds it, and nobody means it.
            return Err(Problem::parameter(
                "q",
                "text_too_short",
                text(
                    "q ska ha minst 2 tecken.",
                    "q must have at least 2 characters.",
                ),
            ));
        }
        if self.q.is_some() && self.cursor.is_some() && self.sort.is_none() {
            return Err(Problem::parameter(
                "cursor",
                "cursor_needs_sort",
                text(
                    "Sökning utan sort ordnas efter träffsäkerhet och bläddras med page.",
                    "A search without sort is ordered by relevance and is read by page.",
                ),
            ));
        }
        Ok(())
    }
}

/// A comma-separated list in one parameter: any of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyOf<T>(pub Vec<T>);

impl<T: std::fmt::Display> AnyOf<T> {
    /// The values as text, for a query.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for AnyOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        let items: Result<Vec<T>, _> = given
            .split(',')
            .map(|item| {
                item.trim()
                    .parse()
                    .map_err(|error| D::Error::custom(format!("`{item}`: {error}")))
            })
            .collect();
        let items = items?;
        if items.len() > 200 {
            return Err(D::Error::custom("more than 200 values"));
        }
        Ok(Self(items))
    }
}

/// One value with a rule of its own, checked while the parameter is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct One<T>(pub T);

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .trim()
            .parse()
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// The parameters of a list: the common ones and the filters of the resource.
#[derive(Clone, Debug)]
pub struct ListParams<F> {
    /// Page, order, shape.
    pub list: ListQuery,
    /// The filters.
    pub filter: F,
}

impl<F: DeserializeOwned + IntoParams + 'static> FromRequest for ListParams<F> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read_list(req.query_string()))
    }
}

fn read_list<F: DeserializeOwned + IntoParams + 'static>(
    query: &str,
) -> Result<ListParams<F>, Problem> {
    let common = names::<ListQuery>();
    let own = names::<F>();
    let pairs = pairs(query)?;
    refuse_unknown(&pairs, common.iter().chain(own.iter()))?;
    let (list, filter): (Vec<_>, Vec<_>) = pairs
        .into_iter()
        .partition(|(name, _)| common.contains(name));
    let list: ListQuery = typed(&list)?;
    list.check()?;
    Ok(ListParams {
        list,
        filter: typed(&filter)?,
    })
}

/// The filter of a list of which nothing was asked.
///
/// # Errors
/// When the filter has a parameter that must be given.
pub(crate) fn no_filter<F: DeserializeOwned>() -> Result<F, Problem> {
    typed(&[])
}

/// The parameters of anything that is not a list.
#[derive(Clone, Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + IntoParams + 'static> FromRequest for Params<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(req.query_string()).map(Self))
    }
}

fn read<T: DeserializeOwned + IntoParams + 'static>(query: &str) -> Result<T, Problem> {
    let pairs = pairs(query)?;
    refuse_unknown(&pairs, names::<T>().iter())?;
    typed(&pairs)
}

/// The parameters of two types at once: what many endpoints share, and what one adds. Their names differ.
#[derive(Clone, Debug)]
pub struct Joined<A, B>(pub A, pub B);

impl<A, B> FromRequest for Joined<A, B>
where
    A: DeserializeOwned + IntoParams + 'static,
    B: DeserializeOwned + IntoParams + 'static,
{
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read_joined(req.query_string()))
    }
}

fn read_joined<A, B>(query: &str) -> Result<Joined<A, B>, Problem>
where
    A: DeserializeOwned + IntoParams + 'static,
    B: DeserializeOwned + IntoParams + 'static,
{
    let shared = names::<A>();
    let own = names::<B>();
    let pairs = pairs(query)?;
    refuse_unknown(&pairs, shared.iter().chain(own.iter()))?;
    let (first, second): (Vec<_>, Vec<_>) = pairs
        .into_iter()
        .partition(|(name, _)| shared.contains(name));
    Ok(Joined(typed(&first)?, typed(&second)?))
}

thread_local! {
    /// By type. Asking utoipa builds the whole documentation of every parameter, which is too much for each request.
    static NAMES: RefCell<HashMap<TypeId, Rc<[String]>>> = RefCell::default();
}

fn names<T: IntoParams + 'static>() -> Rc<[String]> {
    NAMES.with_borrow_mut(|known| {
        let names = known.entry(TypeId::of::<T>()).or_insert_with(|| {
            T::into_params(|| Some(ParameterIn::Query))
                .into_iter()
                .map(|parameter| parameter.name)
                .collect()
        });
        Rc::clone(names)
    })
}

fn refuse_unknown<'a>(
    pairs: &[(String, String)],
    known: impl Iterator<Item = &'a String>,
) -> Result<(), Problem> {
    let known: Vec<&String> = known.collect();
    let faults: Vec<Fault> = pairs
        .iter()
        .filter(|(name, _)| !known.contains(&name))
        .map(|(name, _)| {
            Fault::parameter(
                printable(name),
                "unknown_parameter",
                did_you_mean(name, known.iter().map(|k| k.as_str())),
            )
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Problem::new(ProblemKind::UnknownParameter).faults(faults))
    }
}

/// Names the nearest known name, or all of them.
pub(crate) fn did_you_mean<'a>(
    given: &str,
    known: impl Iterator<Item = &'a str>,
) -> crate::problem::Text {
    let known: Vec<&str> = known.collect();
    match nearest(given, known.iter().copied()) {
        Some(name) => text(
            format!("Okänt namn. Menade du {name}?"),
            format!("Unknown name. Did you mean {name}?"),
        ),
        None => text(
            format!("Okänt namn. Kända: {}.", known.join(", ")),
            format!("Unknown name. Known: {}.", known.join(", ")),
        ),
    }
}

/// The known name that the given one is likely a misspelling of.
pub(crate) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    known
        .map(|name| {
            let distance = strsim::damerau_levenshtein(&given, &name.to_lowercase());
            (distance, name)
        })
        .filter(|(distance, name)| *distance <= 3 && *distance < name.len())
        .min()
        .map(|(_, name)| name)
}

fn typed<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Problem> {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(pairs);
    let encoded = encoded.finish();
    let deserializer =
        serde_urlencoded::Deserializer::new(form_urlencoded::parse(encoded.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let name = error.path().to_string();
        let reason = error.into_inner().to_string();
        Problem::parameter(name, "invalid_value", plainly(&reason))
    })
}

/// The middleware that refuses what a write does not take in its query: a parameter is never ignored. Reads, and writes
/// that have parameters, check them where they are read.
///
/// # Errors
/// As the handler.
pub async fn refuse_unknown_of_writes<B: MessageBody>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let reads = matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads
        && !req.query_string().is_empty()
        && let Some(routes) = req.app_data::<web::Data<Routes>>()
        && routes.takes_no_query(req.path(), req.method())
        && let Err(problem) = read::<NoQuery>(req.query_string())
    {
        return Ok(req
            .into_response(problem.error_response())
            .map_into_right_body());
    }
    Ok(next.call(req).await?.map_into_left_body())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::lang::Lang;
    use crate::values::AreaCode;

    #[derive(Debug, Deserialize, IntoParams)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[into_params(parameter_in = Query)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Filter {
        #[param(value_type = Option<String>)]
        municipality: Option<AnyOf<AreaCode>>,
    }

    fn faults(query: &str) -> String {
        match read_list::<Filter>(query) {
            Ok(_) => String::new(),
            Err(problem) => format!("{problem:?}"),
        }
    }

    #[derive(Debug, Deserialize, IntoParams)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[into_params(parameter_in = Query)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Kinds {
        #[param(value_type = Option<String>)]
        id: Option<One<uuid::Uuid>>,
        age: Option<u8>,
        open: Option<bool>,
        #[param(value_type = Option<String>)]
        at: Option<DateTime<Utc>>,
        #[param(value_type = Option<String>)]
        day: Option<crate::values::Day>,
    }

    #[test]
    fn an_unknown_parameter_is_named_with_the_nearest_known_one() {
        assert!(faults("munipality=1880").contains("Did you mean municipality?"));
    }

    #[rstest::rstest]
    #[case("lang=de", "de är ingen kod i listan. Tillåtna: sv, en.")]
    #[case("format=pdf", "pdf är ingen kod i listan. Tillåtna: json, csv, xlsx.")]
    #[case("limit=1.5", "Här ska stå ett heltal.")]
    #[case("limit=", "Här ska stå ett heltal.")]
    #[case("age=256", "Talet är för stort.")]
    #[case("open=1", "Här ska stå true eller false.")]
    #[case("includeDeleted=yes", "Här ska stå true eller false.")]
    #[case("at=2026-01-01", "En tidpunkt skrivs med dag, tid och zon")]
    #[case("at=yesterday", "En tidpunkt skrivs med dag, tid och zon")]
    #[case("at=2026-13-01T00:00:00Z", "En tidpunkt skrivs med dag, tid och zon")]
    #[case("day=2026-02-30", "En dag skrivs ÅÅÅÅ-MM-DD")]
    #[case("id=1", "Ett id är ett UUID")]
    #[case("id=zz903e2a-7b4c-7d5e-8f60-718293a4b5c6", "Ett id är ett UUID")]
    #[case("page=0", "page ska vara 1–1 000 000 000.")]
    fn a_value_that_does_not_fit_is_told_in_swedish_without_a_parsers_words(
        #[case] query: &str,
        #[case] told: &str,
    ) {
        let problem = read_list::<Kinds>(query).unwrap_err();
        let said = problem.sentences();
        let said = said.get(Lang::Sv);
        assert!(said.contains(told), "{said}");
        for word in ["expected", "invalid", "variant", "input", "digit"] {
            assert!(!said.contains(word), "{said}");
        }
    }

    #[test]
    fn strict_decoding() {
        assert!(faults("q=%FF").contains("not_text"));
        assert!(faults("q=a%00b").contains("not_text"));
        assert!(faults("q=a%09b").contains("not_text"));
        assert!(
            faults("q=a%E2%80%AEb").contains("not_text"),
            "turned around"
        );
        assert!(faults("%E2%81%A6q=ab").contains("not_text"));
        assert!(faults("limit=1&limit=2").contains("duplicated"));
        assert!(faults("limit=0").contains("out_of_range"));
        assert!(faults("q=+%C3%B6+").contains("text_too_short"));
        assert_eq!(faults("q=%C3%B6l") + &faults("q=") + &faults("q=+"), "");
        assert!(faults("limit=abc").contains("invalid_value"));
        assert!(faults("page=1&cursor=").contains("page_or_cursor"));
        assert!(faults("municipality=1880,x%20y").contains("”x y”: En områdeskod är"));
        assert_eq!(
            faults("municipality=1880,18&limit=1000&page=99999&q=%C3%96rebro"),
            ""
        );
    }
}
