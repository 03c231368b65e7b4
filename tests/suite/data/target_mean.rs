//! Columns of many rare categories have the target's mean in each: what it is, what training rows have in its place, and what cells have that no
//! training row had.

use wgpu_mlp::data::{
    Cells, Column, Encoder, FeatureKind, FeatureScaling, NumericEncoding, Scaling, Table, TargetMean,
};

const SCALING: Scaling = Scaling { target_means: true, ..Scaling::NONE };
/// Categories and rows of each.
const ZIPS: usize = 200;
const EACH: usize = 5;

fn zip(number: usize) -> String {
    format!("zip {number:03}")
}

fn text_table(zips: Vec<Option<String>>, y: Vec<f64>) -> Table {
    let texts = zips.iter().map(Option::as_deref).collect();
    Table::new("t", vec![Column::new("zip", Cells::Text(texts)), Column::new("y", Cells::Number(y))]).unwrap()
}

/// Row i is of zip i mod 200, so that each fifth of the rows has each zip once; the target is that of the zip with a little of the row.
fn table() -> Table {
    let rows = 0..ZIPS * EACH;
    let y = rows.clone().map(|row| f64::from((row % ZIPS * 37 % 200) as u32) + 0.5 * f64::from((row * 7 % 11) as u32));
    text_table(rows.clone().map(|row| Some(zip(row % ZIPS))).collect(), y.collect())
}

fn rows(table: &Table) -> Vec<usize> {
    (0..table.rows()).collect()
}

fn fit(table: &Table, scaling: Scaling) -> Encoder {
    let encoder = Encoder::fit(table, "y", &rows(table), None, scaling).unwrap();
    assert_eq!(encoder.validate(), Ok(()));
    let loaded: Encoder = serde_json::from_str(&serde_json::to_string(&encoder).unwrap()).unwrap();
    assert_eq!(loaded, encoder, "a model's file keeps all of it");
    encoder
}

fn means_of(encoder: &Encoder) -> &[TargetMean] {
    let FeatureKind::Category { target_means, .. } = &encoder.features()[0].kind else { panic!("{encoder:?}") };
    target_means
}

fn mean_of(encoder: &Encoder) -> &TargetMean {
    let [mean] = means_of(encoder) else { panic!("{encoder:?}") };
    mean
}

fn targets(table: &Table) -> Vec<f64> {
    table.numbers("y").unwrap().to_vec()
}

/// Sum over rows and rows of a zip, of those that `counts`.
fn sum(y: &[f64], zip: usize, counts: impl Fn(usize) -> bool) -> (f64, f64) {
    let of = (0..y.len()).filter(|&row| row % ZIPS == zip && counts(row));
    of.fold((0.0, 0.0), |(sum, rows), row| (sum + y[row], rows + 1.0))
}

#[test]
fn a_category_has_the_mean_of_its_rows_and_of_some_more() {
    let table = table();
    let encoder = fit(&table, SCALING);
    let (mean, y) = (mean_of(&encoder), targets(&table));
    // None of the zips is in ten rows, so all are rare; they have one input, and the mean another.
    assert_eq!(encoder.features()[0].input_names(), ["zip=(other)", "zip=(mean)"]);
    let prior = y.iter().sum::<f64>() / y.len() as f64;
    assert!((mean.prior - prior).abs() < 1e-12);
    // One-way analysis of variance, by hand for groups of one size.
    let of = |zip| sum(&y, zip, |_| true).0 / EACH as f64;
    let within = (0..y.len()).map(|row| (y[row] - of(row % ZIPS)).powi(2)).sum::<f64>() / (y.len() - ZIPS) as f64;
    let between =
        (0..ZIPS).map(|zip| (of(zip) - prior).powi(2)).sum::<f64>() / (ZIPS - 1) as f64 - within / EACH as f64;
    assert!((mean.smoothing - within / between).abs() < 1e-9, "{} {}", mean.smoothing, within / between);
    assert!(mean.smoothing > 0.0 && mean.means.len() == ZIPS);
    for number in 0..ZIPS {
        let (sum, rows) = sum(&y, number, |_| true);
        let expected = (sum + mean.smoothing * prior) / (rows + mean.smoothing);
        assert!((mean.means[number] - expected).abs() < 1e-9, "{number}");
    }
    // A later table: zips as they are, one that nobody knows, a missing cell.
    let later = text_table(vec![Some(zip(7)), Some("zip 999".into()), None, Some(zip(0))], vec![0.0; 4]);
    let (inputs, _) = encoder.encode_features(&later).unwrap();
    let found: Vec<f32> = inputs.chunks_exact(2).map(|row| row[1]).collect();
    assert_eq!(found, [mean.means[7], mean.prior, mean.prior, mean.means[0]].map(|value| value as f32));
}

/// What a training row has is of the rows of other folds: its own target, and those of its fold, have no part in it.
#[test]
fn training_rows_have_what_other_folds_say() {
    let table = table();
    let encoder = fit(&table, SCALING);
    let (mean, y, all) = (mean_of(&encoder), targets(&table), rows(&table));
    let fold = ZIPS..2 * ZIPS;
    let folds: Vec<_> = (0..EACH).map(|fold| fold * ZIPS..(fold + 1) * ZIPS).collect();
    let crossed = |encoder: &Encoder, table: &Table| {
        let data = encoder.encode_columns(table.clone()).unwrap().training_rows(&all, &folds).unwrap();
        let of_table = encoder.encode(table).unwrap();
        assert!(data.targets() == of_table.targets());
        let width = encoder.inputs();
        let of = |data: &wgpu_mlp::Dataset| data.features().chunks_exact(width).map(|row| row[1]).collect::<Vec<_>>();
        (of(&data), of(&of_table))
    };
    let (found, plain) = crossed(&encoder, &table);
    for row in fold.clone() {
        let others = |row: usize| !fold.contains(&row);
        let prior = all.iter().filter(|&&row| others(row)).map(|&row| y[row]).sum::<f64>() / (y.len() - ZIPS) as f64;
        let (sum, rows) = sum(&y, row % ZIPS, others);
        let expected = (sum + mean.smoothing * prior) / (rows + mean.smoothing);
        assert!((f64::from(found[row]) - expected).abs() < 1e-5, "{row}: {} {expected}", found[row]);
        assert!(found[row] != plain[row]);
    }
    // The same encoder, and a fold whose targets are others.
    let other_y =
        y.iter().enumerate().map(|(row, &y)| if fold.contains(&row) { -9.0 * y - 100.0 } else { y }).collect();
    let other = text_table(all.iter().map(|row| Some(zip(row % ZIPS))).collect(), other_y);
    let (other, _) = crossed(&encoder, &other);
    assert!(other[fold.clone()] == found[fold.clone()]);
    assert!((0..y.len()).all(|row| fold.contains(&row) || other[row] != found[row]));
}

/// Columns of few rare categories, categories that say nothing, and such of one row each have no mean. A pair of classes has the part of the
/// second.
#[test]
fn what_has_a_mean() {
    let has = |encoder: &Encoder| !means_of(encoder).is_empty();
    let of = |categories: usize, each: usize, y: &dyn Fn(usize) -> f64| {
        let rows = 0..categories * each;
        let table = text_table(rows.clone().map(|row| Some(zip(row % categories))).collect(), rows.map(y).collect());
        Encoder::fit(&table, "y", &self::rows(&table), None, SCALING)
    };
    let by_zip =
        |categories: usize| move |row: usize| f64::from((row % categories) as u32) + f64::from((row % 7) as u32);
    // In nine rows of a thousand and more a category is rare; in ten it is not.
    assert!(has(&of(120, 9, &by_zip(120)).unwrap()) && !has(&of(100, 12, &by_zip(100)).unwrap()));
    // Of 110 categories the hundred first have inputs: of the rows less than a tenth do not; of 112 more.
    assert!(!has(&of(110, 12, &by_zip(110)).unwrap()) && has(&of(112, 12, &by_zip(112)).unwrap()));
    // The same numbers in each: categories differ less than their rows do.
    assert!(!has(&of(150, 12, &|row| f64::from((row / 150) as u32)).unwrap()));
    assert!(of(1000, 1, &|row| f64::from(row as u32)).is_err(), "no category of two rows: the column is left out");
    let pair = of(200, 9, &|row| f64::from(u32::from(row % 200 < 80))).unwrap();
    let mean = mean_of(&pair);
    assert!(mean.means[3] > 0.99 && mean.means[130] < 0.01 && (mean.prior - 0.4).abs() < 1e-9, "{mean:?}");
    // Unless it is wanted.
    let rare = Encoder::fit(&table(), "y", &rows(&table()), None, Scaling::NONE);
    assert!(rare.is_err(), "all categories are rare");
}

/// It is scaled and has bins as other numbers have, and a note says which columns have it.
#[test]
fn it_is_scaled_as_numbers_are() {
    let table = table();
    let numbers = NumericEncoding::Piecewise { bins: 4 };
    let encoder = fit(&table, Scaling { features: FeatureScaling::RobustAll, numbers, ..SCALING });
    let feature = &encoder.features()[0];
    assert_eq!((feature.width(), feature.bin_inputs()), (6, 2..6));
    assert_eq!(feature.input_names()[1..3], ["zip=(mean)", "zip=(mean, bin 1)"]);
    let mean = mean_of(&encoder);
    let (inputs, _) = encoder.encode_features(&table).unwrap();
    for (row, inputs) in inputs.chunks_exact(6).enumerate() {
        let value = mean.means[row % ZIPS];
        let z = (value - mean.mean) / mean.scale;
        assert!((f64::from(inputs[1]) - z / (1.0 + (z / 3.0).powi(2)).sqrt()).abs() < 1e-5);
        let bins = mean.edges.windows(2).map(|bin| ((value - bin[0]) / (bin[1] - bin[0])).clamp(0.0, 1.0));
        assert!(bins.zip(&inputs[2..]).all(|(expected, found)| (expected - f64::from(*found)).abs() < 1e-5));
    }
    let notes = encoder.notes(&table, &rows(&table)).unwrap();
    let text = notes.lines().join("\n");
    let line = "columns of many rare categories have the target's mean in each category: `zip` (200 categories)";
    assert!(text.contains(line), "{text}");
}

/// Of three classes each has the part of the rows that is of it, where categories differ in it; a training row has what other folds say. They have
/// no bins.
#[test]
fn each_of_three_classes_has_its_means() {
    // Zips below 100 are red or green by their number, the others mostly blue; a seventh of the rows is of no zip's class.
    let class = |row: usize| match row % ZIPS {
        _ if row.is_multiple_of(7) => "blue",
        zip if zip >= 100 => "blue",
        zip if zip % 3 == 0 => "green",
        _ => "red",
    };
    let zips: Vec<String> = (0..ZIPS * EACH).map(|row| zip(row % ZIPS)).collect();
    let of = |class: &dyn Fn(usize) -> &'static str| {
        let texts = zips.iter().map(|zip| Some(zip.as_str())).collect();
        let y = (0..zips.len()).map(|row| Some(class(row))).collect();
        Table::new("t", vec![Column::new("zip", Cells::Text(texts)), Column::new("y", Cells::Text(y))]).unwrap()
    };
    let table = of(&class);
    let scaling = Scaling { numbers: NumericEncoding::Piecewise { bins: 4 }, ..SCALING };
    let encoder = fit(&table, scaling);
    let names = ["zip=(other)", "zip=(mean of blue)", "zip=(mean of green)", "zip=(mean of red)"];
    assert_eq!(encoder.features()[0].input_names(), names);
    assert!(encoder.features()[0].bin_inputs().is_empty());
    let fold = 3 * ZIPS..4 * ZIPS;
    let folds: Vec<_> = (0..EACH).map(|fold| fold * ZIPS..(fold + 1) * ZIPS).collect();
    let data = encoder.encode_columns(table.clone()).unwrap().training_rows(&rows(&table), &folds).unwrap();
    for (at, mean) in means_of(&encoder).iter().enumerate() {
        let name = ["blue", "green", "red"][at];
        assert_eq!(mean.class.as_deref(), Some(name));
        let y: Vec<f64> = (0..zips.len()).map(|row| f64::from(u8::from(class(row) == name))).collect();
        let prior = y.iter().sum::<f64>() / y.len() as f64;
        assert!((mean.prior - prior).abs() < 1e-12);
        let expected = |zip: usize, prior: f64, counts: &dyn Fn(usize) -> bool| {
            let (sum, rows) = sum(&y, zip, counts);
            (sum + mean.smoothing * prior) / (rows + mean.smoothing)
        };
        (0..ZIPS).for_each(|zip| assert!((mean.means[zip] - expected(zip, prior, &|_| true)).abs() < 1e-9, "{zip}"));
        let others = |row: usize| !fold.contains(&row);
        let of_others = mean_where(&y, &others);
        for row in fold.clone() {
            let found = f64::from(data.features()[row * encoder.inputs() + 1 + at]);
            assert!((found - expected(row % ZIPS, of_others, &others)).abs() < 1e-5, "{name} {row}: {found}");
        }
    }
    // A class that every zip has as often has no means: here the rows of each zip are of blue by their fold alone.
    let by_fold = |row: usize| if row / ZIPS == 2 { "blue" } else { ["green", "red"][row % ZIPS % 2] };
    let encoder = fit(&of(&by_fold), SCALING);
    let classes: Vec<_> = means_of(&encoder).iter().map(|mean| mean.class.as_deref()).collect();
    assert_eq!(classes, [Some("green"), Some("red")]);
}

/// A class of fewer than ten rows has no means, and a column has none where classes and categories are so many that a file would be full of
/// them.
#[test]
fn few_rows_and_too_many_classes_have_no_means() {
    let fitted = |zips: &dyn Fn(usize) -> usize, rows: usize, class: &dyn Fn(usize) -> String| {
        let (x, y): (Vec<_>, Vec<_>) = (0..rows).map(|row| (zip(zips(row)), class(row))).unzip();
        let texts = |all: &[String]| Cells::Text(all.iter().map(|text| Some(text.as_str())).collect());
        let columns = vec![Column::new("zip", texts(&x)), Column::new("y", texts(&y))];
        let table = Table::new("t", columns).unwrap();
        let encoder = Encoder::fit(&table, "y", &self::rows(&table), None, SCALING).ok()?;
        Some(means_of(&encoder).iter().map(|mean| mean.class.clone().unwrap()).collect::<Vec<_>>())
    };
    // Zips 5 and 6 are of a class of their own, ten rows, or but for one of them.
    let ghost = |but: usize| {
        move |row: usize| match row % ZIPS {
            5 | 6 if row != but => "ghost".to_string(),
            zip => ["green", "red"][zip % 2].to_string(),
        }
    };
    let by_zip = |row: usize| row % ZIPS;
    assert_eq!(fitted(&by_zip, ZIPS * EACH, &ghost(usize::MAX)).unwrap(), ["ghost", "green", "red"]);
    assert_eq!(fitted(&by_zip, ZIPS * EACH, &ghost(6)).unwrap(), ["green", "red"]);
    // 700 zips with 93 classes and with 100.
    let of = |classes: usize| fitted(&|row| row % 700, 3500, &|row| format!("class {:03}", row % 700 % classes));
    assert_eq!(of(93).map(|classes| classes.len()), Some(93));
    assert_eq!(of(100), None, "the column says nothing then");
}

/// The mean of those rows that count.
fn mean_where(y: &[f64], counts: &dyn Fn(usize) -> bool) -> f64 {
    let of: Vec<f64> = (0..y.len()).filter(|&row| counts(row)).map(|row| y[row]).collect();
    of.iter().sum::<f64>() / of.len() as f64
}

/// A file whose means do not fit its categories is refused.
#[test]
fn means_of_a_file_are_checked() {
    let json = serde_json::to_value(fit(&table(), SCALING)).unwrap();
    let change = |at: &str, value: serde_json::Value| {
        let mut json = json.clone();
        json["features"][0]["target_means"][0][at] = value;
        serde_json::from_value::<Encoder>(json).unwrap().validate().unwrap_err()
    };
    for (at, value, expected) in [
        ("means", serde_json::json!([1.0, 2.0]), "lacks means of the target"),
        ("smoothing", serde_json::json!(-1.0), "lacks means of the target"),
        ("scale", serde_json::json!(0.0), "scale 0"),
        ("clip", serde_json::json!(0.0), "clipped at 0"),
        ("edges", serde_json::json!([3.0, 2.0, 1.0]), "do not ascend"),
        ("class", serde_json::json!("red"), "has means of other classes than the target"),
    ] {
        let found = change(at, value);
        assert!(found.contains(expected) && found.contains("`zip`"), "{at}: {found}");
    }
}
