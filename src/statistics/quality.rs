//! What protection costs: how far published totals lie from the true ones.
//!
//! The exact error of a published total would give the true total back, and with the other totals the small groups. So
//! the document tells distributions over many totals, upper bounds in coarse steps, and nothing where there are few.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::codes::Level;
use super::frozen::Policy;
use super::protection::Changed;

/// Fewer totals than this have no distribution that could be told.
const TOTALS: u64 = 30;
/// With fewer changed cells than this, an error is the error of a few groups.
const CELLS: u64 = 100;

/// Errors while a publication is made. Counted by size, so that memory does not grow with the number of totals.
#[derive(Clone, Debug, Default)]
pub struct Loss {
    levels: BTreeMap<i16, Errors>,
    cells: u64,
    changed: Changed,
}

#[derive(Clone, Debug, Default)]
struct Errors {
    totals: u64,
    /// Persons, places or occasions.
    absolute: BTreeMap<u64, u64>,
    /// Hundredths of a per cent of the true total.
    relative: BTreeMap<u64, u64>,
}

/// The measured information loss of a publication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProtectionQuality)]
pub struct Document {
    /// The method, in Swedish.
    pub method_sv: String,
    /// The method, in English.
    pub method_en: String,
    /// Thresholds and the finest levels.
    pub thresholds: Vec<Threshold>,
    /// How many cells there are before summing, to two digits; absent below 100.
    pub cells: Option<u64>,
    /// How many of them were rounded to 0 or a multiple of the threshold, to two digits; absent below 100.
    pub changed_cells: Option<u64>,
    /// How many are shown for a larger area only, to two digits; absent below 100.
    pub moved_cells: Option<u64>,
    /// Errors of the totals of areas, by level.
    pub levels: Vec<LevelLoss>,
}

/// How small a group may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProtectionThreshold)]
pub struct Threshold {
    /// `any`, `gender`, `activity_form`, `subject`, or `scheme` (of districts).
    pub dimension: String,
    /// The code that it is about.
    pub code: String,
    /// Groups smaller than this become 0 or this.
    pub threshold: i64,
    /// The finest areas that the code is shown for.
    pub finest_level: Level,
    /// Why, in Swedish.
    pub reason_sv: String,
    /// Why, in English.
    pub reason_en: String,
}

/// Errors of the totals of areas of one level. Absent figures: too few totals or changed cells to tell them without
/// telling the groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProtectionLevelLoss)]
pub struct LevelLoss {
    /// The level. That of the country is the national error.
    pub level: Level,
    /// How many totals were compared: one for each measure, basis, period and area.
    pub totals: u64,
    /// The median of the absolute errors.
    pub median_error: Option<u64>,
    /// At least 95 % of the absolute errors are at most this (1, 2, 5, 10, 20 …).
    pub high_error_at_most: Option<u64>,
    /// All absolute errors are at most this (1, 2, 5, 10, 20 …).
    pub max_error_at_most: Option<u64>,
    /// The median of the errors in per cent of the true total, where that is not 0.
    pub median_percent: Option<f64>,
    /// At least 95 % of the errors in per cent are at most this (0.01, 0.02, 0.05, 0.1 …).
    pub high_percent_at_most: Option<f64>,
    /// All errors in per cent are at most this (0.01, 0.02, 0.05, 0.1 …).
    pub max_percent_at_most: Option<f64>,
}

impl Loss {
    /// Compares the total of a block with the true one.
    pub fn total(&mut self, level: Level, truth: i64, published: i64) {
        let errors = self.levels.entry(level.number()).or_default();
        let error = truth.abs_diff(published);
        errors.totals += 1;
        *errors.absolute.entry(error).or_default() += 1;
        let truth = truth.unsigned_abs();
        if truth > 0 {
            // Upwards, so that a bound stays one.
            let relative = (u128::from(error) * 10_000).div_ceil(u128::from(truth));
            let relative = u64::try_from(relative).unwrap_or(u64::MAX);
            *errors.relative.entry(relative).or_default() += 1;
        }
    }

    /// Counts cells before summing, and what became of them.
    pub fn cells(&mut self, cells: u64, changed: Changed) {
        self.cells += cells;
        self.changed += changed;
    }

    /// The exact counts: for those who may read the reports themselves, not for publication.
    #[must_use]
    pub fn changed(&self) -> Changed {
        self.changed
    }

    /// What may be published of it.
    #[must_use]
    pub fn document(&self, policies: &[Policy]) -> Document {
        let levels = [
            Level::Country,
            Level::Region,
            Level::Municipality,
            Level::District,
        ];
        Document {
            method_sv: METHOD_SV.to_owned(),
            method_en: METHOD_EN.to_owned(),
            thresholds: policies.iter().map(Threshold::of).collect(),
            cells: rough(self.cells),
            changed_cells: rough(self.changed.small),
            moved_cells: rough(self.changed.moved),
            levels: levels
                .into_iter()
                .filter_map(|level| {
                    let errors = self.levels.get(&level.number())?;
                    Some(errors.told(level, self.changed.small >= CELLS))
                })
                .collect(),
        }
    }
}

impl Threshold {
    fn of(policy: &Policy) -> Self {
        Self {
            dimension: policy.dimension.clone(),
            code: policy.code.clone(),
            threshold: policy.threshold,
            finest_level: policy.finest_level,
            reason_sv: policy.reason.sv.clone(),
            reason_en: policy.reason.en.clone(),
        }
    }
}

impl Errors {
    fn told(&self, level: Level, enough_cells: bool) -> LevelLoss {
        // There is one country: its few totals hold all changed cells, so their bound alone is told.
        let bound = enough_cells && (self.totals >= TOTALS || level == Level::Country);
        let distribution = enough_cells && self.totals >= TOTALS;
        let absolute = |share, told: bool| quantile(&self.absolute, share).filter(|_| told);
        let relative = |share, told: bool| quantile(&self.relative, share).filter(|_| told);
        LevelLoss {
            level,
            totals: self.totals,
            median_error: absolute(50, distribution),
            high_error_at_most: absolute(95, distribution).map(step),
            max_error_at_most: absolute(100, bound).map(step),
            median_percent: relative(50, distribution).map(percent),
            high_percent_at_most: relative(95, distribution).map(step).map(percent),
            max_percent_at_most: relative(100, bound).map(step).map(percent),
        }
    }
}

/// The smallest value that at least `share` per cent of the values do not exceed.
fn quantile(counts: &BTreeMap<u64, u64>, share: u64) -> Option<u64> {
    let all: u64 = counts.values().sum();
    let rank = (all * share).div_ceil(100).max(1);
    let mut seen = 0;
    counts.iter().find_map(|(value, count)| {
        seen += count;
        (seen >= rank).then_some(*value)
    })
}

/// The next of 0, 1, 2, 5, 10, 20, 50 …
fn step(value: u64) -> u64 {
    if value == 0 {
        return 0;
    }
    let mut power = 1_u64;
    loop {
        for step in [1, 2, 5] {
            let step = power.saturating_mul(step);
            if step >= value {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

fn percent(hundredths: u64) -> f64 {
    u32::try_from(hundredths).map_or(f64::INFINITY, f64::from) / 100.0
}

/// Two digits of a count that is large enough to be told.
fn rough(count: u64) -> Option<u64> {
    if count < CELLS {
        return None;
    }
    let mut power = 1;
    while count / power >= 100 {
        power *= 10;
    }
    Some(count / power * power)
}

const METHOD_SV: &str = "Nyckelstyrd avrundning av små tal. Varje grupp i grundtabellen med färre personer än tröskeln \
t (minst 5), men minst en, publiceras som t med sannolikheten n/t och annars som 0; valet görs av en hemlig nyckel och \
gruppens identitet (HMAC-SHA256) och är därför detsamma i alla svar. Större grupper publiceras oförändrade. Alla tal är \
summor av grundtabellens publicerade grupper: de är väntevärdesriktiga, och ingen kombination av dem säger mer om en \
liten grupp än att den har 0 till t − 1 personer (publicerad som 0) eller 1 till t (publicerad som t). Känsliga grupper \
redovisas bara för större områden, där de är avrundade till multiplar av t, och saknas i de mindre områdenas summor. Felen \
nedan är uppmätta på områdenas totaler.";

const METHOD_EN: &str = "Keyed rounding of small numbers. Each group of the base table with fewer persons than the \
threshold t (at least 5), but at least one, is published as t with probability n/t and otherwise as 0; a secret key and \
the identity of the group decide (HMAC-SHA256), hence in the same way in every answer. Larger groups are published \
unchanged. All numbers are sums of the published groups of the base table: they are unbiased, and no combination of them \
says more about a small group than that it has 0 to t − 1 persons (published as 0) or 1 to t (published as t). Sensitive \
groups are shown for larger areas only, rounded to multiples of t, and are missing in the sums of the smaller ones. The \
errors below were measured on the totals of areas.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_totals_or_few_changed_cells_tell_nothing() {
        let mut loss = Loss::default();
        loss.total(Level::Country, 1_003, 1_000);
        loss.cells(
            40,
            Changed {
                small: 99,
                raised: 50,
                moved: 0,
            },
        );
        let told = loss.document(&[]);
        assert_eq!((told.cells, told.changed_cells), (None, None));
        assert_eq!(told.levels.len(), 1);
        assert_eq!(told.levels[0].max_error_at_most, None);
        assert_eq!(told.levels[0].max_percent_at_most, None);
        // One changed cell more, and the country's bound is told: 3 of 1003 is 0.2991 %, so at most 0.5 %; the region's
        // is not, with 29 totals.
        loss.cells(
            9_960,
            Changed {
                small: 1,
                raised: 0,
                moved: 0,
            },
        );
        for _ in 0..29 {
            loss.total(Level::Region, 100, 104);
        }
        let told = loss.document(&[]);
        assert_eq!((told.cells, told.changed_cells), (Some(10_000), Some(100)));
        assert_eq!(told.levels[0].max_error_at_most, Some(5));
        assert_eq!(told.levels[0].max_percent_at_most, Some(0.5));
        assert_eq!(told.levels[0].median_error, None);
        assert_eq!(told.levels[1].max_error_at_most, None);
    }

    #[test]
    fn errors_of_a_level_are_its_median_and_bounds() {
        // 40 totals of 200: 21 without error, 16 with 2 (1 %), 2 with 3 (1.5 %), one with 30 (15 %). The median is the
        // 20th: 0. The 38th is the 95th percentile: 3, told as at most 5; 1.5 % as at most 2 %. The largest: 30 as 50,
        // 15 % as 20 %.
        let mut loss = Loss::default();
        for (count, error) in [(21, 0), (16, 2), (2, -3), (1, 30)] {
            for _ in 0..count {
                loss.total(Level::Municipality, 200, 200 + error);
            }
        }
        loss.cells(
            12_345,
            Changed {
                small: 1_299,
                raised: 640,
                moved: 3,
            },
        );
        let told = loss.document(&[]);
        assert_eq!(told.cells, Some(12_000));
        assert_eq!(told.changed_cells, Some(1_200));
        assert_eq!(told.moved_cells, None);
        let expected = LevelLoss {
            level: Level::Municipality,
            totals: 40,
            median_error: Some(0),
            high_error_at_most: Some(5),
            max_error_at_most: Some(50),
            median_percent: Some(0.0),
            high_percent_at_most: Some(2.0),
            max_percent_at_most: Some(20.0),
        };
        assert_eq!(told.levels, [expected]);
        let text = serde_json::to_string(&told).unwrap();
        assert_eq!(serde_json::from_str::<Document>(&text).unwrap(), told);
        assert!(text.contains("\"maxErrorAtMost\":50"));
    }
}
