//! Files as offices send them, and files of ours that come back.

mod collection;
mod round_trip;
mod templates;
mod workbooks;

use actix_web::web::Bytes;
use serde_json::{Value, json};

use super::{CellFault, Demand, Mapping, of_object};
use crate::formats::read::{FileKind, Incoming, ReadFault, Source, open};
use crate::http::lang::Lang;
use crate::problem::Text;
use crate::sync::imports::types::ImportType;

/// What a file gives, told whole: the faults of the file, or each row with what it came to.
fn told(resource: ImportType, kind: FileKind, bytes: Vec<u8>) -> Value {
    let source = Source::Memory(Bytes::from(bytes));
    match open(kind, &source, &resource.sheet_names()) {
        Err(fault) => json!({"fileFault": file_fault(&fault)}),
        Ok(Incoming::Objects(objects)) => {
            let told: Result<Vec<Value>, ReadFault> = objects
                .map(|object| {
                    object.map(|object| row(object.number, of_object(resource, object.members)))
                })
                .collect();
            match told {
                Ok(told) => json!({"rows": told.len(), "told": told}),
                Err(fault) => json!({"fileFault": file_fault(&fault)}),
            }
        }
        Ok(Incoming::Table {
            headings,
            mut records,
            ..
        }) => match Mapping::new(resource, &headings, Demand::Whole) {
            Err(faults) => match records.find_map(Result::err) {
                Some(fault) => json!({"fileFault": file_fault(&fault)}),
                None => {
                    json!({"headingFaults": faults.iter().map(file_fault).collect::<Vec<_>>()})
                }
            },
            Ok(mapping) => {
                let told: Result<Vec<Value>, ReadFault> = records
                    .map(|record| record.map(|record| row(record.number, mapping.object(&record))))
                    .collect();
                match told {
                    Ok(told) => json!({"rows": told.len(), "told": told}),
                    Err(fault) => json!({"fileFault": file_fault(&fault)}),
                }
            }
        },
    }
}

fn row(number: u32, mapped: Result<super::Mapped, super::Unmapped>) -> Value {
    match mapped {
        Ok(mapped) if mapped.notes.is_empty() => json!({"row": number, "is": mapped.members}),
        Ok(mapped) => {
            json!({"row": number, "is": mapped.members, "notes": cell_faults(&mapped.notes)})
        }
        Err(unmapped) => json!({"row": number, "faults": cell_faults(&unmapped.faults)}),
    }
}

fn both(text: &Text) -> Value {
    json!({"sv": text.get(Lang::Sv), "en": text.get(Lang::En)})
}

fn file_fault(fault: &ReadFault) -> Value {
    json!({"code": fault.code, "row": fault.row, "column": fault.column, "text": both(&fault.text)})
}

fn cell_faults(faults: &[CellFault]) -> Vec<Value> {
    let told = faults.iter().map(|fault| {
        json!({"pointer": fault.pointer, "column": fault.column, "heading": fault.heading,
               "code": fault.code, "value": fault.value, "text": both(&fault.text)})
    });
    told.collect()
}
