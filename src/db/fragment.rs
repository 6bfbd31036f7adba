//! SQL text with typed binds as a diesel expression.
//!
//! Sorting, keyset positions, visibility and search are chosen at run time, which diesel's types cannot express.
//! `diesel::dsl::sql` could, but marks the whole statement as unsafe to cache, so that each request prepares it
//! anew (twice the cost of a short read). A [`Fragment`] is cached by its text. Its text comes from constants only.

use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{self, Array, BigInt, Bool, Date, Integer, Text, Timestamptz};
use uuid::Uuid;

/// A bound value.
#[derive(Clone, Debug)]
pub enum Bind {
    /// text
    Text(String),
    /// text[]
    Texts(Vec<String>),
    /// uuid
    Uuid(Uuid),
    /// uuid[]
    Uuids(Vec<Uuid>),
    /// integer
    Int(i32),
    /// bigint
    BigInt(i64),
    /// boolean
    Bool(bool),
    /// date
    Date(NaiveDate),
    /// timestamptz
    Time(DateTime<Utc>),
}

macro_rules! bind_from {
    ($($variant:ident($type:ty)),+) => {
        $(impl From<$type> for Bind { fn from(value: $type) -> Self { Self::$variant(value) } })+
    };
}
bind_from!(
    Text(String),
    Texts(Vec<String>),
    Uuid(Uuid),
    Uuids(Vec<Uuid>),
    Int(i32),
    BigInt(i64),
    Bool(bool),
    Date(NaiveDate),
    Time(DateTime<Utc>)
);

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// A piece of SQL of type `ST`.
#[derive(Clone, Debug)]
pub struct Fragment<ST> {
    parts: Vec<Part>,
    sql_type: PhantomData<ST>,
}

/// A condition.
pub type Condition = Fragment<sql_types::Nullable<Bool>>;

#[derive(Clone, Debug)]
enum Part {
    Sql(&'static str),
    Bind(Bind),
}

impl<ST> Default for Fragment<ST> {
    fn default() -> Self {
        Self {
            parts: Vec::new(),
            sql_type: PhantomData,
        }
    }
}

impl<ST> Fragment<ST> {
    /// A piece of SQL without binds.
    #[must_use]
    pub fn sql(sql: &'static str) -> Self {
        Self::default().push(sql)
    }

    /// SQL in which each `?` stands for the next bind.
    #[must_use]
    pub fn with(template: &'static str, binds: impl IntoIterator<Item = Bind>) -> Self {
        let mut binds = binds.into_iter();
        let mut this = Self::default();
        for (n, piece) in template.split('?').enumerate() {
            if n > 0
                && let Some(bind) = binds.next()
            {
                this.parts.push(Part::Bind(bind));
            }
            this.parts.push(Part::Sql(piece));
        }
        this
    }

    /// Appends SQL.
    #[must_use]
    pub fn push(mut self, sql: &'static str) -> Self {
        self.parts.push(Part::Sql(sql));
        self
    }

    /// Appends a bound value.
    #[must_use]
    pub fn bind(mut self, bind: impl Into<Bind>) -> Self {
        self.parts.push(Part::Bind(bind.into()));
        self
    }

    /// Appends another fragment.
    #[must_use]
    pub fn then<T>(mut self, other: Fragment<T>) -> Self {
        self.parts.extend(other.parts);
        self
    }
}

impl<ST: 'static> QueryFragment<Pg> for Fragment<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for part in &self.parts {
            match part {
                Part::Sql(sql) => out.push_sql(sql),
                Part::Bind(Bind::Text(v)) => out.push_bind_param::<Text, _>(v)?,
                Part::Bind(Bind::Texts(v)) => out.push_bind_param::<Array<Text>, _>(v)?,
                Part::Bind(Bind::Uuid(v)) => out.push_bind_param::<sql_types::Uuid, _>(v)?,
                Part::Bind(Bind::Uuids(v)) => {
                    out.push_bind_param::<Array<sql_types::Uuid>, _>(v)?;
                }
                Part::Bind(Bind::Int(v)) => out.push_bind_param::<Integer, _>(v)?,
                Part::Bind(Bind::BigInt(v)) => out.push_bind_param::<BigInt, _>(v)?,
                Part::Bind(Bind::Bool(v)) => out.push_bind_param::<Bool, _>(v)?,
                Part::Bind(Bind::Date(v)) => out.push_bind_param::<Date, _>(v)?,
                Part::Bind(Bind::Time(v)) => out.push_bind_param::<Timestamptz, _>(v)?,
            }
        }
        Ok(())
    }
}

impl<ST> QueryId for Fragment<ST> {
    // The text differs between values of this type, so the type says nothing: diesel then caches by the text.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Expression for Fragment<ST>
where
    ST: sql_types::SqlType + diesel::expression::TypedExpressionType + 'static,
{
    type SqlType = ST;
}

impl<ST, QS> AppearsOnTable<QS> for Fragment<ST> where Self: Expression {}
impl<ST, QS> SelectableExpression<QS> for Fragment<ST> where Self: Expression {}
impl<ST, G> ValidGrouping<G> for Fragment<ST> {
    type IsAggregate = is_aggregate::Never;
}
