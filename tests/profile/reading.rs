//! How the rules walk through an OpenAPI document.

use serde_json::{Map, Value};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// One operation, and the document that its references point into.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    pub document: &'a Value,
    pub path: &'a str,
    pub method: &'a str,
    pub item: &'a Value,
    pub value: &'a Value,
}

impl<'a> Operation<'a> {
    /// `GET /projects`, for findings.
    pub fn name(self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    /// The operation's parameters and those of its path.
    pub fn parameters(self) -> impl Iterator<Item = &'a Value> {
        let document = self.document;
        [self.item, self.value]
            .into_iter()
            .flat_map(|holder| list(holder, "parameters"))
            .map(move |parameter| resolve(document, parameter))
    }

    /// The parameters that travel in `place`: `query`, `header` or `path`.
    pub fn parameters_in(self, place: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.parameters()
            .filter(move |parameter| text(parameter, "in") == place)
            .map(|parameter| (text(parameter, "name"), parameter))
    }

    /// Status and answer.
    pub fn responses(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let document = self.document;
        members(self.value, "responses")
            .map(move |(status, response)| (status, resolve(document, response)))
    }

    /// The request body, where one is taken.
    pub fn body(self) -> Option<&'a Value> {
        self.value
            .get("requestBody")
            .map(|body| resolve(self.document, body))
    }
}

/// Every operation of the document.
pub fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    members(document, "paths").flat_map(move |(path, item)| {
        METHODS.into_iter().filter_map(move |method| {
            Some(Operation {
                document,
                path,
                method,
                item,
                value: item.get(method)?,
            })
        })
    })
}

/// The paths of the document, as templates.
pub fn paths(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    members(document, "paths")
}

/// The addresses of the servers, with the default values of their variables put in.
pub fn server_urls(document: &Value) -> Vec<String> {
    list(document, "servers")
        .map(|server| {
            members(server, "variables").fold(
                text(server, "url").to_owned(),
                |url, (name, variable)| {
                    url.replace(&format!("{{{name}}}"), text(variable, "default"))
                },
            )
        })
        .collect()
}

/// What a local `$ref` points at; anything else is what it is.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    text(value, "$ref")
        .strip_prefix('#')
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(value)
}

/// Every property of every schema, wherever it stands: where, its name, its schema.
pub fn properties(document: &Value) -> Vec<(String, &str, &Value)> {
    let mut found = Vec::new();
    visit(document, "", &mut found);
    found
}

fn visit<'a>(value: &'a Value, place: &str, found: &mut Vec<(String, &'a str, &'a Value)>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                let place = format!("{place}/{key}");
                match (key.as_str(), inner) {
                    // Sample values are data, whatever their members are called.
                    ("example" | "examples" | "default" | "const" | "enum", _) => {}
                    ("properties", Value::Object(properties)) => {
                        for (name, schema) in properties {
                            let place = format!("{place}/{name}");
                            found.push((place.clone(), name, schema));
                            visit(schema, &place, found);
                        }
                    }
                    _ => visit(inner, &place, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|inner| visit(inner, place, found)),
        _ => {}
    }
}

/// Whether a schema allows this JSON type by name.
pub fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|known| known == name),
        Some(known) => known == name,
        None => false,
    }
}

/// A sample value, from `example` or the first of `examples`.
pub fn example(value: &Value) -> Option<&Value> {
    value
        .get("example")
        .or_else(|| match value.get("examples")? {
            Value::Array(examples) => examples.first(),
            Value::Object(examples) => examples.values().next(),
            _ => None,
        })
}

/// The text of a member, or nothing.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a member is missing, no text, or only blanks.
pub fn is_blank(value: &Value, name: &str) -> bool {
    text(value, name).trim().is_empty()
}

/// The members of an object that is a member.
pub fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    value
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
        .map(|(key, inner)| (key.as_str(), inner))
}

/// The items of an array that is a member.
pub fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
