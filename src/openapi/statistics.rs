//! The formats that every answer of statistics has besides its JSON.

use serde_json::{Value, json};

use crate::formats::{CSV, CSVW, CUBE, JSON_STAT, NDJSON, XLSX};

/// The parameter that only operations of statistics have.
pub const MARK: &str = "dialect";

/// Whether the operation answers with statistics, in all their formats.
pub fn are_answered(operation: &Value) -> bool {
    operation
        .get("parameters")
        .and_then(Value::as_array)
        .is_some_and(|list| list.iter().any(|parameter| parameter["name"] == MARK))
}

/// Adds the formats to the answer of such an operation.
pub fn formats(operation: &mut Value) {
    if !are_answered(operation) {
        return;
    }
    let content = operation.pointer_mut("/responses/200/content");
    let Some(content) = content.and_then(Value::as_object_mut) else {
        return;
    };
    let metadata = || {
        json!({
            "title": "Andel elever", "publication": "2025.1", "updated": "2026-03-01T08:00:00Z",
            "protection": "keyed-rounding-5", "synthetic": false, "href": HREF,
            "citation": "Samverkan, publicering 2025.1", "source": "Kulturskolerådet",
            "notes": [], "definitions": [],
            "dimensions": [
                {"code": "area", "label": "Område", "role": "geo", "categories": [{"code": "1880", "label": "Örebro", "unit": null}]}
            ],
            "metrics": [{"code": "value", "label": "Värde", "unit": {"label": "procent", "decimals": 1}}],
            "statuses": [{"code": "reported", "label": "Rapporterad", "unit": null}],
            "beside": {}
        })
    };
    let mut add = |media: &str, schema: Value, example: Value| {
        content.insert(
            media.to_owned(),
            json!({"schema": schema, "example": example}),
        );
    };
    add(
        CUBE,
        json!({"$ref": "#/components/schemas/StatisticsCube"}),
        json!({
            "metadata": metadata(), "size": [1], "values": [{"metric": "value", "values": [12.5]}],
            "statuses": ["reported"], "remarks": []
        }),
    );
    add(
        JSON_STAT,
        json!({"type": "object", "description": "A dataset of JSON-stat 2.0: dense values, categories in order, statuses where a number is not plainly as reported. See <https://json-stat.org/full/>."}),
        json!({
            "version": "2.0", "class": "dataset", "href": HREF, "label": "Andel elever", "source": "Kulturskolerådet",
            "updated": "2026-03-01T08:00:00Z", "id": ["area", "metric"], "size": [1, 1],
            "role": {"geo": ["area"], "metric": ["metric"]},
            "dimension": {
                "area": {"label": "Område", "category": {"index": {"1880": 0}, "label": {"1880": "Örebro"}}},
                "metric": {"label": "Uppgift", "category": {"index": {"value": 0}, "label": {"value": "Värde"}, "unit": {"value": {"base": "procent", "decimals": 1}}}}
            },
            "value": [12.5]
        }),
    );
    add(
        CSV,
        json!({"type": "string", "description": "RFC 4180: comma, decimal point, UTF-8, a header row; code and label of each dimension, numbers, unit, status, remark. With `dialect=excel-sv`: semicolon, decimal comma, byte order mark."}),
        json!(
            "area,areaLabel,value,unit,status,statusLabel,remark\r\n1880,Örebro,12.5,procent,reported,Rapporterad,\r\n"
        ),
    );
    add(
        CSVW,
        json!({"type": "object", "description": "What the CSV of the same question is, by the W3C's CSV on the Web: title, citation, address, notes (mandatory ones first), and name, meaning and type of each column. See <https://www.w3.org/TR/tabular-metadata/>."}),
        json!({
            "@context": ["http://www.w3.org/ns/csvw", {"@language": "sv"}], "@id": HREF, "url": format!("{HREF}&format=csv&lang=sv"),
            "dc:title": "Andel elever", "notes": [{"mandatory": true, "text": "2020 är pandemiåret: läs året för sig."}],
            "dc:bibliographicCitation": "Samverkan, publicering 2025.1", "dc:identifier": HREF, "dc:isPartOf": "2025.1",
            "dc:source": "Kulturskolerådet", "dc:issued": {"@value": "2026-03-01T08:00:00Z", "@type": "xsd:dateTime"},
            "dialect": {"encoding": "utf-8", "delimiter": ",", "lineTerminators": ["\r\n"], "header": true},
            "tableSchema": {
                "columns": [
                    {"name": "area", "titles": "area", "dc:description": "Område, kod", "datatype": "string", "required": true},
                    {"name": "areaLabel", "titles": "areaLabel", "dc:description": "Område", "datatype": "string", "required": false},
                    {"name": "value", "titles": "value", "dc:description": "Värde", "datatype": "number", "required": false}
                ],
                "primaryKey": ["area"]
            }
        }),
    );
    add(
        XLSX,
        json!({"type": "string", "contentMediaType": XLSX, "contentEncoding": "binary", "description": "A workbook: the data, a sheet with notes, definitions, source, citation and the permanent address, and one for each thing that stands beside the rows."}),
        json!("(a workbook)"),
    );
    add(
        NDJSON,
        json!({"type": "string", "description": "An object a line: first `{\"metadata\": …}`, then a row each, last `{\"complete\":true,\"rows\":n}`. Without that last line the answer broke off."}),
        json!(
            "{\"metadata\":{\"title\":\"Andel elever\"}}\n{\"area\":\"1880\",\"value\":12.5,\"status\":\"reported\"}\n{\"complete\":true,\"rows\":1}\n"
        ),
    );
}

const HREF: &str = "https://samverkan.example.org/samverkan/v1/statistics/participation?area=1880&measure=pupils_share&publication=2025.1";
