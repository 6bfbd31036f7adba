//! What addresses look like: servers, paths, resources.

use serde_json::Value;

use crate::reading::{operations, paths, resolve, server_urls, text};

const ALLOWED_PLURALS: [&str; 4] = ["people", "children", "data", "media"];

/// UFN.01, VER.05: `{scheme}://{host}/{api}/v{n}`, nothing more and nothing less. A document without
/// servers would slip through every rule on addresses, so it is a finding.
pub fn server_form(document: &Value) -> Vec<String> {
    let urls = server_urls(document);
    if urls.is_empty() {
        return vec!["no server is named".to_owned()];
    }
    let is_good = |url: &String| {
        let Some((scheme, rest)) = url.split_once("://") else {
            return false;
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let [host, api, version] = parts.as_slice() else {
            return false;
        };
        let is_major =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        ![scheme, host, api].iter().any(|part| part.is_empty())
            && version.strip_prefix('v').is_some_and(is_major)
    };
    urls.into_iter()
        .filter(|url| !is_good(url))
        .map(|url| format!("the server {url} is not scheme://host/api/v1"))
        .collect()
}

/// UFN.02, SAK.01: https on port 443.
pub fn server_https(document: &Value) -> Vec<String> {
    let is_good = |url: &String| {
        url.strip_prefix("https://").is_some_and(|rest| {
            let host = rest.split('/').next().unwrap_or_default();
            !host.is_empty() && host.split_once(':').is_none_or(|(_, port)| port == "443")
        })
    };
    server_urls(document)
        .into_iter()
        .filter(|url| !is_good(url))
        .map(|url| format!("the server {url} is not https on port 443"))
        .collect()
}

/// UFN.05: no address over 2048 characters.
pub fn length(document: &Value) -> Vec<String> {
    let server = server_urls(document)
        .iter()
        .map(String::len)
        .max()
        .unwrap_or_default();
    paths(document)
        .filter(|(path, _)| server + path.len() > 2048)
        .map(|(path, _)| format!("{} characters: {path:.40}…", server + path.len()))
        .collect()
}

/// UFN.07: small letters, digits, `-`, `.` and `~`.
pub fn characters(document: &Value) -> Vec<String> {
    let is_good = |character: char| matches!(character, 'a'..='z' | '0'..='9' | '-' | '.' | '~');
    let servers = server_urls(document);
    let on_servers = servers.iter().filter_map(|url| {
        let path = url.split_once("://")?.1.split_once('/')?.1;
        path.split('/')
            .any(|part| !part.chars().all(is_good))
            .then(|| url.clone())
    });
    let on_paths = bad_paths(document, |segment| !segment.chars().all(is_good));
    on_servers
        .chain(on_paths)
        .map(|place| format!("{place} has other characters"))
        .collect()
}

/// UFN.08: only hyphens separate words.
pub fn separators(document: &Value) -> Vec<String> {
    bad_paths(document, |segment| {
        segment.contains(['_', '.', '~', ' ', '+'])
    })
    .map(|path| format!("{path} separates words otherwise"))
    .collect()
}

/// UFN.09: no blank and no underscore, in the names of path parameters neither.
pub fn underscores(document: &Value) -> Vec<String> {
    let in_paths = paths(document)
        .filter(|(path, _)| path.contains(['_', ' ']))
        .map(|(path, _)| path.to_owned());
    let in_names = operations(document).flat_map(|operation| {
        operation
            .parameters_in("path")
            .filter(|(name, _)| name.contains(['_', ' ']))
            .map(move |(name, _)| format!("{} {{{name}}}", operation.name()))
    });
    in_paths
        .chain(in_names)
        .map(|place| format!("{place} has a blank or an underscore"))
        .collect()
}

/// RES.06: nouns in `[a-z0-9-]`, never a verb in front; what a parameter picks from is a plural.
pub fn resources(document: &Value) -> Vec<String> {
    const VERBS: [&str; 10] = [
        "get", "post", "put", "patch", "delete", "create", "update", "fetch", "list", "remove",
    ];
    let mut findings = Vec::new();
    for (path, _) in paths(document) {
        let mut segments = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .peekable();
        while let Some(segment) = segments.next() {
            if is_parameter(segment) {
                continue;
            }
            if !segment
                .chars()
                .all(|character| matches!(character, 'a'..='z' | '0'..='9' | '-'))
            {
                findings.push(format!(
                    "{path}: {segment} has other characters than a-z, 0-9 and -"
                ));
            }
            let first = segment.split('-').next().unwrap_or_default();
            if VERBS.contains(&first) {
                findings.push(format!("{path}: {segment} begins with a verb"));
            }
            let last = segment.rsplit('-').next().unwrap_or_default();
            let is_plural = last.ends_with('s') || ALLOWED_PLURALS.contains(&last);
            if segments.peek().is_some_and(|next| is_parameter(next)) && !is_plural {
                findings.push(format!("{path}: {segment} is a collection in the singular"));
            }
        }
    }
    findings
}

/// MOG.01: a path that nothing can be done with is no resource.
pub fn methods(document: &Value) -> Vec<String> {
    paths(document)
        .filter(|(_, item)| {
            !["get", "post", "put", "delete", "patch"]
                .iter()
                .any(|method| item.get(method).is_some())
        })
        .map(|(path, _)| format!("{path} has no operation"))
        .collect()
}

/// VER.06, VER.07: `GET /api-info` answers with the five members that the profile names.
pub fn api_info(document: &Value) -> Vec<String> {
    let Some(operation) =
        operations(document).find(|operation| operation.name() == "GET /api-info")
    else {
        return vec!["there is no GET /api-info".to_owned()];
    };
    let content = operation.responses().find(|(status, _)| *status == "200");
    let schema =
        content.and_then(|(_, response)| response.pointer("/content/application~1json/schema"));
    let properties = schema.and_then(|schema| resolve(document, schema).get("properties"));
    [
        "apiName",
        "apiVersion",
        "apiReleased",
        "apiDocumentation",
        "apiStatus",
    ]
    .into_iter()
    .filter(|name| properties.is_none_or(|properties| properties.get(name).is_none()))
    .map(|name| format!("GET /api-info does not tell {name}"))
    .chain(bad_version(document))
    .collect()
}

/// VER.04: `info.version` is the same kind of number, major.minor.patch.
fn bad_version(document: &Value) -> Option<String> {
    let version = document
        .get("info")
        .map(|info| text(info, "version"))
        .unwrap_or_default();
    let is_semantic = version.split('.').count() == 3
        && version.split('.').all(|part| part.parse::<u32>().is_ok());
    (!is_semantic).then(|| format!("info.version {version:?} is not major.minor.patch"))
}

/// The paths with a segment that is no parameter and is bad.
fn bad_paths(document: &Value, is_bad: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
    paths(document)
        .filter(move |(path, _)| {
            path.split('/')
                .any(|segment| !is_parameter(segment) && is_bad(segment))
        })
        .map(|(path, _)| path.to_owned())
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}
