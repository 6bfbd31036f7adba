//! What stands around the numbers of an answer: publication, parameters, notes, citation.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::deliver::Form;
use super::frozen::{Both, Frozen};
use crate::formats::table::{Label, Note, Table, synthetic_warning};
use crate::http::lang::Lang;
use crate::values::CodeList;

/// A code with its label in the language of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Coded {
    /// The code.
    #[schema(example = "1880")]
    pub code: String,
    /// What people read.
    #[schema(example = "Örebro")]
    pub label: String,
}

impl Coded {
    /// Of both.
    pub fn new(code: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            label: label.into(),
        }
    }

    /// A code of a closed vocabulary; one that the vocabulary has lost since is its own label.
    #[must_use]
    pub fn of_list(list: &CodeList, code: &str, lang: Lang) -> Self {
        let known = list.codes.iter().find(|known| known.code == code);
        let label = known.map_or(code, |known| lang.pick(known.label_sv, known.label_en));
        Self::new(code, label)
    }
}

/// The publication that an answer is from.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicationRef {
    /// Its name.
    #[schema(example = "2025.1")]
    pub name: String,
    /// Its title.
    #[schema(example = "Kulturskolan 2025")]
    pub title: String,
    /// When it was released (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub published_at: DateTime<Utc>,
    /// Whether it is made of invented data.
    #[schema(example = false)]
    pub synthetic: bool,
}

/// A parameter as it was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ParameterOut {
    /// Its name.
    #[schema(example = "publication")]
    pub name: String,
    /// Its value; several with commas.
    #[schema(example = "2025.1")]
    pub value: String,
}

impl ParameterOut {
    /// The publication by its name, whatever it was asked for as, and then the rest.
    #[must_use]
    pub fn all(frozen: &Frozen, rest: Vec<(&'static str, String)>) -> Vec<Self> {
        let publication = ("publication", frozen.name.clone());
        std::iter::once(publication)
            .chain(rest)
            .map(|(name, value)| Self {
                name: name.to_owned(),
                value,
            })
            .collect()
    }
}

/// A note.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NoteOut {
    /// Whether every reader must see it.
    #[schema(example = true)]
    pub mandatory: bool,
    /// The note.
    #[schema(
        example = "Undated reports are counted by the municipalities of the day of the publication."
    )]
    pub text: String,
}

impl NoteOut {
    /// In one language; invented data are said to be so first, as the other formats say of themselves.
    #[must_use]
    pub fn all(frozen: &Frozen, notes: &[Note], lang: Lang) -> Vec<Self> {
        let invented = frozen.synthetic.then(|| Note {
            mandatory: true,
            text: synthetic_warning(),
        });
        invented
            .iter()
            .chain(notes)
            .map(|note| Self {
                mandatory: note.mandatory,
                text: note.text.get(lang).to_owned(),
            })
            .collect()
    }
}

/// An answer of one publication under one title.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The publication.
    pub frozen: &'a Frozen,
    /// What the answer is about.
    pub title: Label,
}

impl Envelope<'_> {
    /// The publication.
    #[must_use]
    pub fn publication(&self, lang: Lang) -> PublicationRef {
        PublicationRef {
            name: self.frozen.name.clone(),
            title: label(&self.frozen.title).get(lang).to_owned(),
            published_at: self.frozen.published_at,
            synthetic: self.frozen.synthetic,
        }
    }

    /// How to cite the answer.
    #[must_use]
    pub fn citation(&self) -> Label {
        let (name, day) = (&self.frozen.name, self.frozen.published_at.date_naive());
        Label::new(
            format!("Samverkan: {}, publicering {name} ({day}).", self.title.sv),
            format!("Samverkan: {}, publication {name} ({day}).", self.title.en),
        )
    }

    /// A table without dimensions, metrics and rows; its file is called `{name}-{publication}`.
    #[must_use]
    pub fn table(&self, name: &str, form: &Form) -> Table {
        Table {
            publication: self.frozen.name.clone(),
            citation: self.citation(),
            updated: self.frozen.published_at,
            href: form.permanent_url.clone(),
            synthetic: self.frozen.synthetic,
            ..Table::empty(format!("{name}-{}", self.frozen.name), self.title.clone())
        }
    }
}

/// A frozen text as a label.
#[must_use]
pub fn label(text: &Both) -> Label {
    Label::new(&text.sv, &text.en)
}
