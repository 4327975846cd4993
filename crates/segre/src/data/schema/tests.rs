//! Tests of schemas.

use super::*;

fn mixed() -> Schema {
    let words = |list: &[&str]| Vocabulary::Words {
        categories: list.iter().map(|word| (*word).to_string()).collect(),
    };
    Schema::new(
        Layout::Table,
        vec![
            Site {
                name: "colour".into(),
                vocabulary: 0,
            },
            Site {
                name: "level".into(),
                vocabulary: 1,
            },
        ],
        vec![words(&["red", "green"]), Vocabulary::Integers { count: 8 }],
    )
}

#[test]
fn names_and_labels_invert_each_other() {
    let schema = mixed();
    for site in 0..schema.sites() {
        for label in 0..schema.cardinality(site) as u16 {
            let name = schema.category_name(site, label);
            assert_eq!(schema.label_of(site, &name), Some(label));
        }
    }
    assert_eq!(schema.label_of(0, "blue"), None);
    assert_eq!(schema.label_of(1, "8"), None);
    assert_eq!(schema.label_of(1, "-1"), None);
    assert!(schema.is_ordinal(1) && !schema.is_ordinal(0));
    assert!((schema.uniform_bits_per_dim() - 2.0).abs() < 1e-12);
    assert_eq!(schema.max_categories(), 8);
}

#[test]
fn first_difference_is_named() {
    let schema = mixed();
    assert!(schema.same_as(&mixed()).is_ok());
    let mut other = mixed();
    other.vocabularies[1] = Vocabulary::Integers { count: 9 };
    let message = schema
        .same_as(&other)
        .expect_err("counts differ")
        .to_string();
    assert!(
        message.contains("level") && message.contains("below 9"),
        "{message}"
    );
    let mut other = mixed();
    other.sites[0].name = "hue".into();
    let message = schema
        .same_as(&other)
        .expect_err("names differ")
        .to_string();
    assert!(
        message.contains("\"colour\"") && message.contains("\"hue\""),
        "{message}"
    );
}

#[test]
fn survives_json() {
    let text = serde_json::to_string(&mixed()).expect("plain data");
    let back: Schema = serde_json::from_str(&text).expect("what was written");
    assert_eq!(back, mixed());
    assert!(back.validate().is_ok());
}

#[test]
fn faulty_schemas_are_refused() {
    let mut schema = mixed();
    schema.sites[1].vocabulary = 2;
    assert!(schema.validate().is_err());
    let mut schema = mixed();
    schema.layout = Layout::Image {
        height: 2,
        width: 2,
        pad_to: None,
    };
    assert!(schema.validate().is_err());
    let mut schema = mixed();
    schema.vocabularies[1] = Vocabulary::Integers { count: 0 };
    assert!(schema.validate().is_err());
}
