//! The few numbers that many runs come to.

/// The middle one, or the mean of the two in the middle; not a number where there is none.
pub(crate) fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

/// The smallest one; not a number where there is none.
pub(crate) fn min(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::NAN, f64::min)
}

/// The largest one; not a number where there is none.
pub(crate) fn max(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::NAN, f64::max)
}

/// The smallest one that so large a part of all does not exceed; not a number where there is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of a length is one"
)]
pub(crate) fn quantile(numbers: &[f64], part: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// The median of the ratios of each round, not the ratio of the medians: what a round shares, its noise too, cancels out.
/// Rounds that only one of them took part in do not count.
pub(crate) fn ratio(over: &[f64], under: &[f64]) -> f64 {
    let ratios: Vec<_> = over.iter().zip(under).map(|(over, under)| over / under).collect();
    median(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_is(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
    }

    #[test]
    fn the_median_is_the_middle_of_them_in_order() {
        assert_is(median(&[3.0]), 3.0);
        assert_is(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_is(median(&[9.0, 1.0, 2.0, 4.0]), 3.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_quantile_is_one_of_them() {
        let hundred: Vec<_> = (1..=100).rev().map(f64::from).collect();
        assert_is(quantile(&hundred, 0.99), 99.0);
        assert_is(quantile(&hundred, 1.0), 100.0);
        assert_is(quantile(&hundred[..10], 0.99), 100.0);
        assert_is(quantile(&[3.0], 0.0), 3.0);
        assert!(quantile(&[], 0.99).is_nan());
    }

    #[test]
    fn the_ends_are_the_ends() {
        assert_is(min(&[3.0, 1.0, 2.0]), 1.0);
        assert_is(max(&[3.0, 1.0, 4.0, 2.0]), 4.0);
        assert!(min(&[]).is_nan() && max(&[]).is_nan());
    }

    #[test]
    fn a_ratio_compares_round_with_round() {
        // The second round was slow for both. The ratio of the medians would be 3.
        assert_is(ratio(&[2.0, 20.0, 3.0], &[1.0, 10.0, 1.0]), 2.0);
        assert_is(ratio(&[2.0, 20.0, 3.0], &[1.0]), 2.0);
        assert!(ratio(&[1.0], &[]).is_nan());
    }
}
