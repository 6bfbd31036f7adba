//! What else is forgotten when a contact is: imports keep the rows that they refused for some weeks, and such a row may
//! hold the contact as its sender wrote it.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::Conn;
use crate::schema::import_rows;

/// What stands in the place of an address or number that was erased.
const ERASED: &str = "[raderad]";
/// A number of so many digits is found inside longer ones as well: two numbers may stand side by side.
const TELLING: usize = 8;

/// The ways to reach those who are no contacts any more.
#[derive(Debug, Default)]
pub struct Erased {
    /// E-mail addresses in lower case.
    addresses: Vec<String>,
    /// Telephone numbers: their digits, without the country and the zero before the area.
    numbers: Vec<String>,
}

impl Erased {
    /// Of these contacts, without what the present ones still have.
    #[must_use]
    pub fn of(gone: &Value, present: &Value) -> Self {
        let (mut erased, kept) = (Self::of_all(gone), Self::of_all(present));
        erased.addresses.retain(|one| !kept.addresses.contains(one));
        erased.numbers.retain(|one| !kept.numbers.contains(one));
        erased
    }

    fn of_all(contacts: &Value) -> Self {
        let all = contacts.as_array().map(Vec::as_slice).unwrap_or_default();
        let member = |name: &'static str| {
            all.iter()
                .filter_map(move |contact| contact.get(name)?.as_str())
        };
        let numbers = member("phone").map(significant);
        Self {
            addresses: member("email").map(str::to_ascii_lowercase).collect(),
            numbers: numbers.filter(|number| !number.is_empty()).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.numbers.is_empty()
    }

    /// Takes them out of every text of a value; says whether there was one.
    fn leave(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let without = self.without(text);
                let held = without != *text;
                *text = without;
                held
            }
            Value::Array(items) => items
                .iter_mut()
                .fold(false, |held, item| self.leave(item) | held),
            Value::Object(members) => members
                .values_mut()
                .fold(false, |held, member| self.leave(member) | held),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn without(&self, text: &str) -> String {
        let addressed = self
            .addresses
            .iter()
            .fold(text.to_owned(), |text, address| {
                without_address(&text, address)
            });
        if self.numbers.is_empty() {
            return addressed;
        }
        self.without_numbers(&addressed)
    }

    fn without_numbers(&self, text: &str) -> String {
        let part = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-()/".contains(c);
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(part) {
            let (before, from) = rest.split_at(start);
            let (run, after) = from.split_at(from.find(|c| !part(c)).unwrap_or(from.len()));
            let held = significant(run);
            let is_erased = |number: &String| {
                held == *number || (number.len() >= TELLING && held.contains(number.as_str()))
            };
            out.push_str(before);
            if self.numbers.iter().any(is_erased) {
                let bare = run.trim();
                out.push_str(&run.replacen(bare, ERASED, 1));
            } else {
                out.push_str(run);
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// The digits of a telephone number by which it is the same however it is written: `+46 19-21 10 00` and `019/211000`.
fn significant(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let abroad = number.trim_start().starts_with('+') || digits.starts_with("00");
    let bare = digits.trim_start_matches('0');
    let home = bare.strip_prefix("46").filter(|_| abroad).unwrap_or(bare);
    home.trim_start_matches('0').to_owned()
}

/// The text without an address, given in lower case; not without a longer one that it is a part of.
fn without_address(text: &str, address: &str) -> String {
    let of_name = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let of_host = |c: char| c.is_alphanumeric() || "_-".contains(c);
    // Only ASCII letters change, so every place in one is a place in the other.
    let lower = text.to_ascii_lowercase();
    let mut out = String::new();
    let mut done = 0;
    for (start, found) in lower.match_indices(address) {
        let end = start + found.len();
        let (before, after) = (text.get(..start), text.get(end..));
        let begins = before.is_none_or(|before| !before.ends_with(of_name));
        let mut next = after.unwrap_or_default().chars();
        let ends = match next.next() {
            Some('.') => !next.next().is_some_and(of_host),
            Some(c) => !of_host(c),
            None => true,
        };
        if begins && ends {
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(ERASED);
            done = end;
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[derive(QueryableByName)]
struct Refused {
    #[diesel(sql_type = SqlUuid)]
    import_id: Uuid,
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = Jsonb)]
    given: Value,
    #[diesel(sql_type = Nullable<Jsonb>)]
    errors: Option<Value>,
}

/// Takes what was erased out of the refused rows of imports of one kind, and out of what was said of them; says out of how
/// many.
///
/// # Errors
/// When a statement fails.
pub async fn forget_refused(conn: &Conn, entity: &str, erased: &Erased) -> QueryResult<usize> {
    if erased.is_empty() {
        return Ok(0);
    }
    let mut conn = conn;
    let rows: Vec<Refused> = diesel::sql_query(include_str!("sql/refused_rows_with.sql"))
        .bind::<Text, _>(entity)
        .bind::<Array<Text>, _>(&erased.addresses)
        .bind::<Array<Text>, _>(&erased.numbers)
        .load(&mut conn)
        .await?;
    let mut forgotten = 0;
    for mut row in rows {
        let given = erased.leave(&mut row.given);
        let told = row
            .errors
            .as_mut()
            .is_some_and(|errors| erased.leave(errors));
        if !given && !told {
            continue;
        }
        forgotten += diesel::update(import_rows::table.find((row.import_id, row.position)))
            .set((
                import_rows::given.eq(row.given),
                import_rows::errors.eq(row.errors),
            ))
            .execute(&mut conn)
            .await?;
    }
    Ok(forgotten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn erased() -> Erased {
        let ada = json!({"role": "Ledare", "email": "Ada@Example.se", "phone": "+46 19-21 10 00"});
        let bo = json!({"role": "Ledare", "email": "bo@example.se", "phone": null});
        Erased::of(&json!([ada, bo]), &json!([bo]))
    }

    #[rstest]
    #[case("ada@example.se", "[raderad]")]
    #[case("Skriv till ADA@example.se.", "Skriv till [raderad].")]
    #[case("lada@example.se", "lada@example.se")]
    #[case("ada@example.se.nu, ada@example.se", "ada@example.se.nu, [raderad]")]
    #[case("bo@example.se", "bo@example.se")]
    #[case("Ring 019-21 10 00 i dag", "Ring [raderad] i dag")]
    #[case("0046 19 211000", "[raderad]")]
    #[case("+46 (0)19/21 10 00", "[raderad]")]
    #[case("019-21 10 01", "019-21 10 01")]
    #[case("019-21 10 00  070-123 45 67", "[raderad]")]
    #[case("Åsa: ADA@EXAMPLE.SE", "Åsa: [raderad]")]
    fn addresses_and_numbers_go_however_they_are_written(
        #[case] text: &str,
        #[case] without: &str,
    ) {
        assert_eq!(erased().without(text), without);
    }

    #[test]
    fn they_go_from_every_text_of_a_row() {
        let mut row = json!({"a": [{"email": "ada@example.se"}], "b": "[{\"email\": \"ada@example.se\"}]", "c": 1});
        assert!(erased().leave(&mut row));
        assert_eq!(
            row,
            json!({"a": [{"email": "[raderad]"}], "b": "[{\"email\": \"[raderad]\"}]", "c": 1})
        );
        assert!(!erased().leave(&mut row));
    }
}
