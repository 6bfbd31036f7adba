use super::*;
use crate::statistics::cube::{Additive, Ages, Fit, REST};
use crate::statistics::query::axes::by_form;
use rstest::rstest;

fn dictionary() -> Dictionary {
    let ages = |from, to, rest| Ages { from, to, rest };
    let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    Dictionary {
        genders: codes(&["girls", "boys"]),
        ages: vec![
            ages(6, 9, false),
            ages(10, 12, false),
            ages(6, 12, false),
            ages(6, 19, true),
            ages(20, 25, false),
        ],
        subjects: codes(&["dance", "theatre_drama"]),
        forms: codes(&[
            "subject_course",
            "subject_course_long",
            "open_activity",
            "voluntary_activity",
        ]),
        ..Dictionary::default()
    }
}

fn read(dimension: Dimension, given: &[&str], grouped: bool) -> ApiResult<Split> {
    let given: Vec<String> = given.iter().map(|code| (*code).to_owned()).collect();
    Split::read(&Asked::default(), dimension, &given, grouped, &dictionary())
}

fn group(codes: &[&str]) -> Group {
    Group::Codes(codes.iter().map(|code| (*code).to_owned()).collect())
}

#[test]
fn without_codes_a_dimension_is_split_by_what_nothing_is_finer_than() {
    let codes = |dimension: Dimension| -> Vec<String> {
        let split = read(dimension, &[], true).unwrap();
        assert!(split.with_rest && split.shown);
        split
            .groups
            .iter()
            .map(|group| group.code(dimension))
            .collect()
    };
    assert_eq!(codes(Dimension::Gender), ["girls", "boys", "not_stated"]);
    assert_eq!(
        codes(Dimension::AgeBand),
        ["6-9", "10-12", "20-25", "not_stated"]
    );
    assert_eq!(
        codes(Dimension::ActivityForm),
        ["subject_course_long", "open_activity", "not_stated"]
    );
}

#[test]
fn codes_given_without_grouping_are_one_group() {
    let split = read(Dimension::Gender, &["girls", "boys", "girls"], false).unwrap();
    // Sorted, so that the same selection is the same group whatever its order.
    assert_eq!(split.groups, [group(&["boys", "girls"])]);
    assert_eq!(split.groups[0].code(Dimension::Gender), "boys+girls");
    assert_eq!(split.groups[0].quoted(Dimension::Gender), None);
    let split = read(Dimension::Gender, &["girls", "total"], false).unwrap();
    assert_eq!(split.groups, [Group::Whole]);
    assert!(read(Dimension::Gender, &["girls", "not_stated"], false).is_err());
    let split = read(Dimension::Gender, &["girls", "total"], true).unwrap();
    assert_eq!(split.groups, [group(&["girls"]), Group::Whole]);
    assert!(!split.with_rest);
}

#[test]
fn bands_side_by_side_are_one_stretch_of_years() {
    assert_eq!(
        group(&["10-12", "6-9", "16-19"]).years(),
        [(6, 12), (16, 19)]
    );
    assert_eq!(group(&["6-12", "8-10"]).years(), [(6, 12)]);
    assert_eq!(years("12-6"), None);
    assert_eq!(years("all"), None);
}

#[rstest]
#[case::of_the_group("subject_course_long", true, &["subject_course"], Fit::Inside)]
#[case::persons_of_a_part("subject_course_long", false, &["subject_course"], Fit::Narrower)]
#[case::itself("subject_course", false, &["subject_course"], Fit::Inside)]
#[case::two_kinds_of_persons("subject_course", false, &["subject_course", "open_activity"], Fit::Narrower)]
#[case::above("voluntary_activity", true, &["subject_course"], Fit::Wider)]
#[case::beside("open_activity", true, &["subject_course"], Fit::Outside)]
fn forms_nest(
    #[case] cell: &str,
    #[case] additive: bool,
    #[case] codes: &[&str],
    #[case] expected: Fit,
) {
    let dictionary = dictionary();
    let place = dictionary
        .forms
        .iter()
        .position(|form| form == cell)
        .unwrap();
    let number = u8::try_from(place + 1).unwrap();
    let fit = by_form(number, &group(codes), &dictionary, additive);
    assert_eq!(fit, expected);
}

/// For every code of every dimension: where codes are not given, exactly one group holds it, so the groups add up.
#[test]
fn every_cell_is_in_exactly_one_group_of_a_default_split() {
    use crate::statistics::cube::{Cell, Quality, sums};
    let dictionary = dictionary();
    let mut frozen = crate::statistics::query::tests::empty();
    frozen.catalogue.dictionary = dictionary.clone();
    let splits = Splits {
        gender: read(Dimension::Gender, &[], true).unwrap(),
        age: read(Dimension::AgeBand, &[], true).unwrap(),
        subject: read(Dimension::Subject, &[], true).unwrap(),
        form: read(Dimension::ActivityForm, &[], true).unwrap(),
    };
    let additive = Additive {
        subjects: true,
        forms: true,
    };
    let axes = splits.axes(&frozen, additive, None);
    let numbers = |codes: usize| (0..=u8::try_from(codes).unwrap()).chain([REST]);
    for gender in numbers(dictionary.genders.len()) {
        for age in numbers(dictionary.ages.len()) {
            for subject in numbers(dictionary.subjects.len()) {
                for form in numbers(dictionary.forms.len()) {
                    let cell = Cell {
                        gender,
                        age,
                        subject,
                        form,
                        quality: Quality::Reported,
                        value: Some(7),
                    };
                    let whole: i64 = sums(&[cell], &axes).iter().map(|sum| sum.value).sum();
                    assert_eq!(whole, 7, "{cell:?}");
                }
            }
        }
    }
}

#[test]
fn a_form_is_split_by_where_nothing_finer_was_counted() {
    let split = |met: &[&str]| -> Vec<String> {
        let met_forms = met.iter().map(|form| (*form).to_owned()).collect();
        let dictionary = Dictionary {
            met_forms,
            ..dictionary()
        };
        finest(Dimension::ActivityForm, &dictionary)
    };
    assert_eq!(
        split(&["subject_course", "open_activity"]),
        ["subject_course", "open_activity"]
    );
    assert_eq!(
        split(&["subject_course", "subject_course_long"]),
        ["subject_course_long"]
    );
    assert_eq!(split(&["voluntary_activity"]), ["voluntary_activity"]);
    // A publication that does not know what was counted.
    assert_eq!(split(&[]), ["subject_course_long", "open_activity"]);
}
