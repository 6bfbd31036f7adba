//! Closed vocabularies: each is an enum, a list at `/code-lists`, and a CHECK constraint; a test compares them.

use std::fmt;

/// One code with its labels.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// The code as written in JSON, CSV and the database.
    pub code: &'static str,
    /// Swedish label.
    pub label_sv: &'static str,
    /// English label.
    pub label_en: &'static str,
}

/// A vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct CodeList {
    /// Its name in the API, kebab-case.
    pub name: &'static str,
    /// Swedish title.
    pub title_sv: &'static str,
    /// English title.
    pub title_en: &'static str,
    /// The codes in their natural order.
    pub codes: &'static [Code],
    /// The CHECK constraint that allows exactly these codes.
    pub constraint: Option<&'static str>,
}

impl CodeList {
    /// A code with its labels.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<&'static Code> {
        self.codes.iter().find(|known| known.code == code)
    }
}

/// A text that is none of the codes.
#[derive(Debug)]
pub struct ParseCodeError {
    /// The allowed codes.
    pub allowed: &'static [Code],
}

impl fmt::Display for ParseCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected one of")?;
        for (n, code) in self.allowed.iter().enumerate() {
            write!(f, "{} {}", if n == 0 { "" } else { "," }, code.code)?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseCodeError {}

/// Declares a closed vocabulary: an enum that JSON, parameters and the database read and write as its codes.
#[macro_export]
macro_rules! code_list {
    ($(#[$doc:meta])* $name:ident = $list:literal, $title_sv:literal, $title_en:literal, check $constraint:expr;
     $($(#[$variant_doc:meta])* $variant:ident = $code:literal, $sv:literal, $en:literal;)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
                 diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name {
            $(#[doc = $en] $(#[$variant_doc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// The vocabulary as published at `/code-lists`.
            pub const LIST: $crate::values::CodeList = $crate::values::CodeList {
                name: $list, title_sv: $title_sv, title_en: $title_en, constraint: $constraint,
                codes: &[$($crate::values::Code { code: $code, label_sv: $sv, label_en: $en },)+],
            };

            /// The code with its labels.
            #[must_use]
            pub const fn code(self) -> $crate::values::Code {
                match self { $(Self::$variant => $crate::values::Code { code: $code, label_sv: $sv, label_en: $en },)+ }
            }

            /// The code as written in JSON, CSV and the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }

        // By hand: the derive does not see through a macro's literals and would name the Rust variants.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(concat!($title_en, "; labels at /code-lists/", $list)))
                    .enum_values(Some([$($code),+]))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::values::ParseCodeError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text { $($code => Ok(Self::$variant),)+ _ => Err($crate::values::ParseCodeError { allowed: Self::LIST.codes }) }
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>) -> diesel::serialize::Result {
                use std::io::Write;
                out.write_all(self.as_str().as_bytes())?;
                Ok(diesel::serialize::IsNull::No)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(std::str::from_utf8(bytes.as_bytes())?.parse()?)
            }
        }
    };
}
