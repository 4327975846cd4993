//! Tests of typed tables: what comes in goes out again, in memory and in files; what has no place is refused by name.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
    Int8Array, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray, StringViewArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, TimestampSecondArray, UInt64Array,
};
use arrow_schema::DataType;

use super::record_batch;
use crate::data::{
    ColumnKind, DataError, DataSource, Dataset, InMemory, Missing, MissingIs, ReadOptions, Unseen,
    of_values, read, read_as, write,
};
use crate::file_error::FileError;

const DAY: i64 = 86_400;

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

fn memory(batch: &RecordBatch) -> InMemory {
    // In two batches, as large tables come.
    let half = batch.num_rows() / 2;
    let batches = vec![
        batch.slice(0, half),
        batch.slice(half, batch.num_rows() - half),
    ];
    InMemory::Table {
        schema: batch.schema(),
        batches,
    }
}

fn read_table(batch: &RecordBatch) -> Dataset {
    memory(batch)
        .read(&ReadOptions::default())
        .expect("a legal table")
}

/// A column of every type, with gaps, of enough different values to be numbers where they are some.
fn every_type() -> RecordBatch {
    let rows = 0..60_i64;
    let gap = |row: i64| row % 7 != 3;
    let some = |row: i64| gap(row).then_some(row);
    let text = |row: i64| gap(row).then(|| format!("w{}", row % 5));
    let texts: Vec<Option<String>> = rows.clone().map(text).collect();
    let words: DictionaryArray<Int32Type> = texts.iter().map(Option::as_deref).collect();
    let moments = rows
        .clone()
        .map(|row| some(row).map(|row| (row * DAY + 3_600) * 1_000_000 + 5));
    let zoned =
        TimestampSecondArray::from_iter(rows.clone().map(|row| some(row).map(|row| row * 977)));
    table(vec![
        (
            "int8",
            Arc::new(Int8Array::from_iter(
                rows.clone()
                    .map(|row| some(row).map(|row| row as i8 / 2 - 15)),
            )),
        ),
        (
            "int64",
            Arc::new(Int64Array::from_iter(
                rows.clone().map(|row| some(row).map(|row| row * row)),
            )),
        ),
        (
            "uint64",
            Arc::new(UInt64Array::from_iter(
                rows.clone().map(|row| some(row).map(|row| row as u64 * 3)),
            )),
        ),
        (
            "real",
            Arc::new(Float64Array::from_iter(
                rows.clone()
                    .map(|row| some(row).map(|row| row as f64 / 8.0)),
            )),
        ),
        (
            "truth",
            Arc::new(BooleanArray::from_iter(
                rows.clone().map(|row| gap(row).then_some(row % 2 == 0)),
            )),
        ),
        (
            "day",
            Arc::new(Date32Array::from_iter(
                rows.clone().map(|row| some(row).map(|row| row as i32 - 20)),
            )),
        ),
        (
            "moment",
            Arc::new(TimestampMicrosecondArray::from_iter(moments)),
        ),
        ("zoned", Arc::new(zoned.with_timezone("+02:00"))),
        (
            "time",
            Arc::new(Time64MicrosecondArray::from_iter(
                rows.clone().map(|row| some(row).map(|row| row * 1_000_000)),
            )),
        ),
        (
            "price",
            Arc::new(
                Decimal128Array::from_iter(
                    rows.clone()
                        .map(|row| some(row).map(|row| i128::from(row * 5))),
                )
                .with_precision_and_scale(10, 2)
                .expect("legal"),
            ),
        ),
        ("text", Arc::new(StringArray::from(texts.clone()))),
        ("large", Arc::new(LargeStringArray::from(texts.clone()))),
        (
            "view",
            Arc::new(StringViewArray::from_iter(
                texts.iter().map(Option::as_deref),
            )),
        ),
        ("words", Arc::new(words)),
    ])
}

#[test]
fn every_type_goes_in_and_comes_out_again() {
    let batch = every_type();
    let data = read_table(&batch);
    let kind = |name: &str| {
        let column = data.schema.column_named(name).expect("a column");
        data.schema
            .column(column)
            .1
            .map_or("categories", |coding| coding.kind())
    };
    assert_eq!(kind("int8"), "whole numbers");
    assert_eq!(kind("real"), "numbers");
    assert_eq!(kind("price"), "numbers");
    assert_eq!(kind("moment"), "dates or times");
    assert_eq!(kind("text"), "categories");
    let back = record_batch(&data);
    for (found, wanted) in back.columns().iter().zip(batch.columns()) {
        assert_eq!(found.data_type(), wanted.data_type());
        assert_eq!(found.as_ref(), wanted.as_ref());
    }
    // What a model has learned says so in its settings, from which it is read again.
    let text = serde_json::to_string(&data.schema).expect("plain data");
    let schema = serde_json::from_str(&text).expect("just written");
    let other = memory(&batch).read_as(&schema, &ReadOptions::default());
    assert_eq!(other.expect("its own data"), data);
}

#[test]
fn files_give_back_what_was_written() {
    let batch = every_type();
    let data = read_table(&batch);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["a.parquet", "a.arrow", "a.feather"] {
        let path = folder.path().join(name);
        write(&data, &path).expect("writable");
        let source = DataSource::File(path);
        assert_eq!(
            read(&source, &ReadOptions::default()).expect(name),
            data,
            "{name}"
        );
        assert_eq!(
            read_as(&source, &data.schema, &ReadOptions::default()).expect(name),
            data
        );
    }
    for name in ["b.parquet", "b.arrow"] {
        let path = folder.path().join(name);
        std::fs::write(&path, "not such a file").expect("writable");
        let error = read(&DataSource::File(path), &ReadOptions::default()).expect_err("damaged");
        assert!(
            matches!(error, DataError::File(FileError::Damaged { .. })),
            "{error}"
        );
    }
}

#[test]
fn dictionaries_keep_their_values_and_order() {
    let keys = arrow_array::Int8Array::from(vec![Some(2), Some(0), None, Some(2)]);
    let values = Arc::new(StringArray::from(vec!["small", "middle", "large"]));
    let words = DictionaryArray::try_new(keys, values).expect("legal keys");
    let batch = table(vec![("size", Arc::new(words) as ArrayRef)]);
    let data = read_table(&batch);
    assert_eq!(data.schema.cardinality(0), 3); // large, small and ?
    let back = record_batch(&data);
    assert_eq!(back.column(0).as_ref(), batch.column(0).as_ref());
    let back = back
        .column(0)
        .as_any()
        .downcast_ref::<DictionaryArray<arrow_array::types::Int8Type>>();
    assert_eq!(back.expect("the same type").values().len(), 3);
}

#[test]
fn missing_is_null_and_nan_and_a_question_mark_but_not_the_empty_text() {
    let batch = table(vec![
        (
            "number",
            Arc::new(Float64Array::from(vec![1.0, f64::NAN, -0.0, 0.0])) as ArrayRef,
        ),
        (
            "text",
            Arc::new(StringArray::from(vec![
                Some(""),
                Some("?"),
                Some(" a"),
                None,
            ])),
        ),
    ]);
    let data = read_table(&batch);
    let back = record_batch(&data);
    assert_eq!(back.column(0).null_count(), 1);
    let texts = back
        .column(1)
        .as_any()
        .downcast_ref::<StringArray>()
        .expect("texts");
    assert_eq!(
        texts.iter().collect::<Vec<_>>(),
        [Some(""), None, Some(" a"), None]
    );
    let gaps = memory(&batch)
        .read_partial(&data.schema, &ReadOptions::default(), MissingIs::Unknown)
        .expect("its own");
    assert_eq!(gaps.unknown(), 3);
    let options = ReadOptions {
        missing: Missing::DropRows,
        ..ReadOptions::default()
    };
    assert_eq!(
        memory(&batch)
            .read(&options)
            .expect("two rows are whole")
            .rows(),
        2
    );
}

#[test]
fn texts_of_digits_are_texts_and_those_of_dates_are_dates() {
    let digits = (0..60).map(|row| format!("{row}"));
    let days = (0..60).map(|row| format!("2024-01-{:02}", row % 30 + 1));
    let batch = table(vec![
        (
            "code",
            Arc::new(StringArray::from_iter_values(
                digits.chain((0..60).map(|row| format!("{row}"))),
            )) as ArrayRef,
        ),
        (
            "day",
            Arc::new(StringArray::from_iter_values(days.clone().chain(days))),
        ),
    ]);
    let data = read_table(&batch);
    assert_eq!(data.schema.column(0).1, None);
    assert_eq!(
        data.schema.column(1).1.map(|coding| coding.kind()),
        Some("dates or times")
    );
    assert_eq!(record_batch(&data), {
        let types = record_batch(&data).schema();
        RecordBatch::try_new(types, batch.columns().to_vec()).expect("the same types")
    });
    let mut options = ReadOptions::default();
    options
        .columns_as
        .insert("code".to_owned(), ColumnKind::Number);
    let data = memory(&batch).read(&options).expect("they are numbers too");
    assert!(data.schema.column(0).1.is_some());
}

#[test]
fn a_table_of_texts_and_a_typed_one_say_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.csv");
    let line = |row: i64| {
        format!(
            "{},{},0{}.0{}.2024,{}\n",
            row % 3,
            row * 10,
            row % 9 + 1,
            row % 8 + 1,
            ["True", "False"][row as usize % 2]
        )
    };
    let lines: String = (0..80).map(line).collect();
    std::fs::write(&path, format!("few,many,day,truth\n{lines}")).expect("writable");
    let source = DataSource::File(path);
    let data = read(&source, &ReadOptions::default()).expect("a table");
    let days = (0..80_i64).map(|row| {
        let day = jiff::civil::date(2024, (row % 8 + 1) as i8, (row % 9 + 1) as i8);
        let since = day.since(jiff::civil::date(1970, 1, 1));
        since.expect("days").get_days()
    });
    // As a program hands it over that has read the file: whole numbers as real ones, days as days.
    let batch = table(vec![
        (
            "few",
            Arc::new(Float64Array::from_iter_values(
                (0..80).map(|row| f64::from(row % 3)),
            )) as ArrayRef,
        ),
        (
            "many",
            Arc::new(Float64Array::from_iter_values(
                (0..80).map(|row| f64::from(row) * 10.0),
            )),
        ),
        ("day", Arc::new(Date32Array::from_iter_values(days))),
        (
            "truth",
            Arc::new(BooleanArray::from_iter(
                (0..80).map(|row| Some(row % 2 == 0)),
            )),
        ),
    ]);
    let typed = memory(&batch)
        .read_as(&data.schema, &ReadOptions::default())
        .expect("the same values");
    assert_eq!(typed.labels(), data.labels());
    assert_eq!(typed.numbers(), data.numbers());
    // What is written of it has the types of the table that was read.
    assert_eq!(record_batch(&typed).columns(), batch.columns());
    let suggested = record_batch(&data);
    let types = suggested
        .columns()
        .iter()
        .map(|column| column.data_type().clone());
    assert_eq!(
        types.collect::<Vec<_>>(),
        [
            DataType::Int64,
            DataType::Int64,
            DataType::Utf8,
            DataType::Boolean
        ]
    );
}

#[test]
fn what_has_no_place_is_refused_with_its_name() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)]), None]);
    let batch = table(vec![
        ("a", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
        ("nested", Arc::new(list)),
    ]);
    let error = memory(&batch)
        .read(&ReadOptions::default())
        .expect_err("nested");
    assert!(
        matches!(&error, DataError::UnsuitedType { column, .. } if column == "nested"),
        "{error}"
    );
    let options = ReadOptions {
        drop_columns: vec!["nested".to_owned()],
        ..ReadOptions::default()
    };
    assert_eq!(
        memory(&batch)
            .read(&options)
            .expect("the other column")
            .sites(),
        1
    );
    let infinite = table(vec![(
        "x",
        Arc::new(Float64Array::from(vec![0.5, f64::INFINITY])) as ArrayRef,
    )]);
    let error = memory(&infinite)
        .read(&ReadOptions::default())
        .expect_err("infinite");
    assert_eq!(
        (error.place().column, error.place().row),
        (Some("x"), Some(1))
    );
    let empty = batch.slice(0, 0);
    assert!(matches!(
        memory(&empty).read(&options),
        Err(DataError::NoData { .. })
    ));
    let unseen = table(vec![(
        "a",
        Arc::new(Int64Array::from(vec![1, 9])) as ArrayRef,
    )]);
    let schema = read_table(&table(vec![(
        "a",
        Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef,
    )]))
    .schema;
    let error = memory(&unseen)
        .read_as(&schema, &ReadOptions::default())
        .expect_err("9 is new");
    assert_eq!(
        (error.place().column, error.place().row, error.place().value),
        (Some("a"), Some(1), Some("9"))
    );
}

#[test]
fn one_row_of_texts_is_read_by_value() {
    let numbers = Int64Array::from_iter_values((0..60).map(|row| row * 3));
    let truth = BooleanArray::from_iter((0..60).map(|row| Some(row % 2 == 0)));
    let schema = read_table(&table(vec![
        ("n", Arc::new(numbers) as ArrayRef),
        ("t", Arc::new(truth)),
    ]))
    .schema;
    let row = |name: &str, value: &str| {
        let values = [(name.to_owned(), value.to_owned())];
        of_values(&values, &schema, Unseen::Error)
    };
    let gaps = row("n", "6.0").expect("a number");
    assert_eq!(
        (gaps.rows(), gaps.label(0, 0), gaps.label(0, 1)),
        (1, Some(2), None)
    );
    let gaps = row("t", "true").expect("a truth value");
    assert_eq!(gaps.label(0, 1), Some(1));
    let nothing = of_values(&[], &schema, Unseen::Error);
    assert_eq!(nothing.expect("nothing is known").unknown(), 2);
    for (name, value) in [("u", "1"), ("t", "maybe"), ("n", "many")] {
        assert!(row(name, value).is_err());
    }
}
