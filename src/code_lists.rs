//! `/code-lists`: every closed vocabulary with its labels in both languages.
//!
//! The lists are a part of the program, so nothing is read from the database.

use actix_web::{HttpRequest, get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::permission::RegistryRead;
use crate::access::{Grant, Permission};
use crate::http::lang::Lang;
use crate::http::list::{Extent, Item, Listing, Page};
use crate::http::params::{ListParams, ListQuery, NoQuery, Params};
use crate::problem::{ApiResult, Problem};
use crate::registry::areas::model::AreaKind;
use crate::values::{Code, CodeList};
use crate::{participation, registry, statistics, sync, telemetry};

/// Every vocabulary of the API: a wing that has some adds its lists here.
pub fn all() -> impl Iterator<Item = &'static CodeList> {
    [
        &[AreaKind::LIST],
        registry::codes::LISTS,
        participation::codes::LISTS,
        statistics::codes::LISTS,
        sync::imports::codes::LISTS,
        sync::history::LISTS,
        sync::LISTS,
    ]
    .into_iter()
    .flatten()
}

/// A closed vocabulary.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CodeList)]
pub struct CodeListOut {
    /// Its name.
    #[schema(example = "culture-school-kind")]
    pub name: &'static str,
    /// Title in the language of the request.
    #[schema(example = "Skolslag")]
    pub title: &'static str,
    /// Title in both languages.
    pub titles: Labels,
    /// The codes in their natural order.
    pub codes: Vec<CodeOut>,
}

/// One code of a vocabulary.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Code)]
pub struct CodeOut {
    /// The code, as written in JSON, CSV and parameters.
    #[schema(example = "music_school")]
    pub code: &'static str,
    /// Label in the language of the request.
    #[schema(example = "Musikskola")]
    pub label: &'static str,
    /// Label in both languages.
    pub labels: Labels,
}

/// A short text in both languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Labels {
    /// Swedish.
    #[schema(example = "Musikskola")]
    pub sv: &'static str,
    /// English.
    #[schema(example = "Music school")]
    pub en: &'static str,
}

/// Filters of `/code-lists`: none.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

impl CodeListOut {
    fn of(list: &CodeList, lang: Lang) -> Self {
        Self {
            name: list.name,
            title: lang.pick(list.title_sv, list.title_en),
            titles: Labels {
                sv: list.title_sv,
                en: list.title_en,
            },
            codes: list
                .codes
                .iter()
                .map(|code| CodeOut::of(code, lang))
                .collect(),
        }
    }
}

impl CodeOut {
    fn of(code: &Code, lang: Lang) -> Self {
        Self {
            code: code.code,
            label: lang.pick(code.label_sv, code.label_en),
            labels: Labels {
                sv: code.label_sv,
                en: code.label_en,
            },
        }
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_code_lists).service(get_code_list);
}

/// List code lists
///
/// Every closed vocabulary of the API: what a field may hold, and what to show people instead of the code. Labels
/// come in the language of the request and in both. The order is fixed: `sort`, `q`, `include` and `updatedSince`
/// do not work here (400).
#[utoipa::path(tag = "registry", operation_id = "list_code_lists", params(ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of code lists", body = Page<CodeListOut>)))]
#[get("/code-lists")]
async fn list_code_lists(
    req: HttpRequest,
    _: Grant<RegistryRead>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<CodeListOut>> {
    params.list.refuse_order_and_search()?;
    let lang = telemetry::lang();
    let lists = all().map(|list| CodeListOut::of(list, lang)).collect();
    let (rows, extent) = Extent::of_all(&params.list, lists)?;
    Listing::new(&req, &params.list, rows, &extent)
}

/// Show a code list
///
/// One vocabulary by its name. The lists change only with the version of the service, so a copy can be kept and
/// checked with `If-None-Match`.
#[utoipa::path(tag = "registry", operation_id = "get_code_list", params(("codeList" = String, Path, description = "Name of the code list", example = "culture-school-kind"), NoQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The code list", body = CodeListOut)))]
#[get("/code-lists/{codeList}")]
async fn get_code_list(
    req: HttpRequest,
    _: Grant<RegistryRead>,
    name: web::Path<String>,
    _: Params<NoQuery>,
) -> ApiResult<Item<CodeListOut>> {
    let list = all()
        .find(|list| list.name == *name)
        .ok_or_else(Problem::not_found)?;
    Item::new(&req, &CodeListOut::of(list, telemetry::lang()), None, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn lists_and_their_codes_have_names_of_their_own() {
        let names: BTreeSet<_> = all().map(|list| list.name).collect();
        assert_eq!(names.len(), all().count());
        for list in all() {
            let codes: BTreeSet<_> = list.codes.iter().map(|code| code.code).collect();
            assert_eq!(codes.len(), list.codes.len(), "{}", list.name);
            assert!(!list.codes.is_empty(), "{}", list.name);
        }
    }

    #[test]
    fn titles_and_labels_follow_the_language() {
        let list = all().find(|list| list.name == "area-kind").unwrap();
        let (sv, en) = (
            CodeListOut::of(list, Lang::Sv),
            CodeListOut::of(list, Lang::En),
        );
        assert_eq!((sv.title, en.title), ("Slag av område", "Kind of area"));
        assert_eq!((sv.codes[1].label, en.codes[1].label), ("Län", "County"));
        assert_eq!(
            (sv.codes[1].labels.en, en.codes[1].labels.sv),
            ("County", "Län")
        );
    }
}
