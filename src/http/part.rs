//! Which part of a list a request asks for: the words searched for, the order, and the page or the cursor.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::params::{ListQuery, did_you_mean};
use super::resource::Resource;
use crate::db::window::{Position, SortTerm, Sortable, Window};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind};

pub(super) fn words(list: &ListQuery) -> Option<&str> {
    list.q
        .as_deref()
        .map(str::trim)
        .filter(|words| !words.is_empty())
}

pub(super) fn window<R: Resource>(list: &ListQuery) -> ApiResult<Window> {
    let mut order = Vec::new();
    for term in list
        .sort
        .iter()
        .flat_map(|sort| sort.split(','))
        .map(str::trim)
    {
        let (name, descending) = term
            .strip_prefix('-')
            .map_or((term, false), |name| (name, true));
        let known = R::Row::KEYS.iter().chain([&R::Row::UNIQUE]);
        match known.clone().find(|key| key.name == name) {
            Some(key) if order.iter().any(|earlier: &SortTerm| earlier.key == *key) => {}
            Some(key) => order.push(SortTerm {
                key: *key,
                descending,
            }),
            None => {
                return Err(
                    Problem::new(ProblemKind::InvalidParameter).fault(Fault::parameter(
                        "sort",
                        "unknown_sort",
                        did_you_mean(name, known.map(|key| key.name)),
                    )),
                );
            }
        }
    }
    let relevance = match (words(list), R::SEARCH, order.is_empty()) {
        (Some(words), Some(search), true) => Some(search.rank(words)),
        _ => None,
    };
    if order.is_empty()
        && let Some(first) = R::Row::KEYS.first()
    {
        order.push(SortTerm {
            key: *first,
            descending: false,
        });
    }
    if !order.iter().any(|term| term.key == R::Row::UNIQUE) {
        order.push(SortTerm {
            key: R::Row::UNIQUE,
            descending: false,
        });
    }
    let position = match list.cursor.as_deref() {
        None => Position::Offset((list.page.unwrap_or(1) - 1) * list.limit()),
        Some("") => Position::Start,
        Some(cursor) => Position::After(values(&order, cursor)?),
    };
    Ok(Window {
        order,
        relevance,
        position,
        limit: list.limit(),
    })
}

/// What a cursor holds: the order it belongs to, and where in it.
#[derive(Deserialize, Serialize)]
struct Cursor {
    o: String,
    v: Vec<Option<String>>,
}

fn signature(order: &[SortTerm]) -> String {
    order
        .iter()
        .map(|term| {
            format!(
                "{}{}",
                if term.descending { "-" } else { "" },
                term.key.name
            )
        })
        .collect::<Vec<_>>()
        .join(",")
}

pub(super) fn cursor(order: &[SortTerm], row: &impl Sortable) -> String {
    let values = order
        .iter()
        .map(|term| row.sort_value(term.key.name))
        .collect();
    URL_SAFE_NO_PAD.encode(
        serde_json::to_vec(&Cursor {
            o: signature(order),
            v: values,
        })
        .unwrap_or_default(),
    )
}

fn values(order: &[SortTerm], cursor: &str) -> ApiResult<Vec<Option<String>>> {
    let read = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Cursor>(&bytes).ok());
    let well_formed = |values: &[Option<String>]| {
        values.len() == order.len()
            && order
                .iter()
                .zip(values)
                .all(|(term, value)| value.as_deref().is_none_or(|value| term.key.reads(value)))
    };
    match read {
        Some(cursor) if cursor.o == signature(order) && well_formed(&cursor.v) => Ok(cursor.v),
        _ => Err(Problem::invalid_cursor()),
    }
}
