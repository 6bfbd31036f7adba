//! Residents: the denominators of a publication, by area and year, and their sums over the places that reported.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;

use chrono::NaiveDate;
use futures_util::TryStreamExt;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::plain::Stopped;
use crate::problem::Problem;
use crate::statistics::cube::{Residents, WHOLE};
use crate::statistics::frozen::{Population, Source};

/// The residents of every area and year that has any.
#[derive(Debug, Default)]
pub struct Populations {
    by_area: HashMap<String, HashMap<i32, Vec<Residents>>>,
    origins: BTreeSet<(i32, NaiveDate, Uuid)>,
}

impl Populations {
    /// Reads them; `sources` come first where several tell of the same day.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn read(client: &Client, sources: &[Uuid]) -> Result<Self, Stopped> {
        let mut all = Self::default();
        let sql = include_str!("sql/populations.sql");
        // One by one: there may be a million of them.
        let parameters: [&(dyn ToSql + Sync); 1] = [&sources];
        let mut stream = pin!(client.query_raw(sql, parameters).await?);
        while let Some(row) = stream.try_next().await? {
            let (area, year): (&str, i32) = (row.try_get(0)?, row.try_get(1)?);
            let age =
                |n| Ok::<u8, Stopped>(u8::try_from(row.try_get::<_, i32>(n)?).unwrap_or(u8::MAX));
            let residents = Residents {
                gender: match row.try_get(2)? {
                    "girls" => 1,
                    "boys" => 2,
                    "other" => 3,
                    _ => WHOLE,
                },
                from: age(3)?,
                to: age(4)?,
                value: row.try_get::<_, i32>(5)?.into(),
            };
            let day = row
                .try_get::<_, &str>(6)?
                .parse()
                .map_err(Problem::internal)?;
            let source = row
                .try_get::<_, &str>(7)?
                .parse()
                .map_err(Problem::internal)?;
            all.origins.insert((year, day, source));
            if let Some(years) = all.by_area.get_mut(area) {
                years.entry(year).or_default().push(residents);
            } else {
                let years = HashMap::from([(year, vec![residents])]);
                all.by_area.insert(area.to_owned(), years);
            }
        }
        Ok(all)
    }

    /// The residents of an area; none known is an empty list.
    #[must_use]
    pub fn of(&self, area: &str, year: Option<i32>) -> &[Residents] {
        let years = self.by_area.get(area);
        year.and_then(|year| years?.get(&year))
            .map_or(&[], Vec::as_slice)
    }

    /// The sources of the residents.
    pub fn sources(&self) -> impl Iterator<Item = Uuid> {
        let sources: BTreeSet<Uuid> = self.origins.iter().map(|(.., source)| *source).collect();
        sources.into_iter()
    }

    /// Which year's residents are of which day and from where.
    #[must_use]
    pub fn origins(&self, sources: &[Source]) -> Vec<Population> {
        let origins = self.origins.iter().filter_map(|(year, day, id)| {
            let place = sources.iter().position(|source| source.id == *id)?;
            Some(Population {
                year: *year,
                reference_date: *day,
                source_no: i16::try_from(place).ok()?,
            })
        });
        origins.collect()
    }
}

/// Residents of several places together: of the groups that each of them has. One place of which nothing is known
/// makes the whole unknown.
#[derive(Clone, Debug, Default)]
pub struct Together {
    places: u32,
    sums: BTreeMap<(u8, u8, u8), (u32, i64)>,
}

impl Together {
    /// Adds a place.
    pub fn add(&mut self, place: &[Residents]) {
        self.places += 1;
        for group in place {
            let sum = self
                .sums
                .entry((group.gender, group.from, group.to))
                .or_default();
            sum.0 += 1;
            sum.1 += group.value;
        }
    }

    /// Adds places that were summed already.
    pub fn add_all(&mut self, other: &Self) {
        self.places += other.places;
        for (group, (places, value)) in &other.sums {
            let sum = self.sums.entry(*group).or_default();
            sum.0 += places;
            sum.1 += value;
        }
    }

    /// The sums.
    #[must_use]
    pub fn residents(&self) -> Vec<Residents> {
        let known = self.sums.iter().filter(|(_, (n, _))| *n == self.places);
        known
            .map(|((gender, from, to), (_, value))| Residents {
                gender: *gender,
                from: *from,
                to: *to,
                value: *value,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_groups_that_every_place_has_are_summed() {
        let r = |gender, from, to, value| Residents {
            gender,
            from,
            to,
            value,
        };
        let mut together = Together::default();
        together.add(&[r(0, 6, 19, 100), r(1, 6, 19, 48)]);
        together.add(&[r(0, 6, 19, 50)]);
        assert_eq!(together.residents(), [r(0, 6, 19, 150)]);
        let mut more = Together::default();
        more.add(&[]);
        more.add_all(&together);
        assert_eq!(more.residents(), []);
    }
}
