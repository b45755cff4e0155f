//! The graphics backend on whatever adapter there is, against the double loops of the reference, along every path that a
//! large problem takes: several segments, several slices, many dispatches, two-dimensional grids.
//!
//! Without an adapter the tests are ignored, and say so; with TOKENFIELD_REQUIRE_GPU=1 they fail instead.

mod advance;
mod attention_statistics;
mod compare;
mod dissipation;
mod harmonic;
mod harmonic_check;
mod layout;
mod measured;
mod model;
mod modes;
mod norm_moments;
mod observe;
mod problems;
mod scheme;
mod sealed;
mod separation;
mod sliced_wasserstein;
mod terms;
mod velocity;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, BackendError, Point,
        gpu::{Bounds, Gpu, adapters},
    },
    model::Field,
};

use self::{
    compare::{bounded, compare, text},
    problems::{problem, shape, varied_problems},
};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let absent = block_on(adapters()).is_empty();
    let required = std::env::var("TOKENFIELD_REQUIRE_GPU").is_ok_and(|value| value == "1");
    let trials = tests().into_iter().map(|(name, test)| {
        let run = move || test().map_err(Failed::from);
        Trial::test(name, run).with_ignored_flag(absent && !required)
    });
    let trials: Vec<Trial> = trials.collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

type Test = Box<dyn FnOnce() -> Result<(), String> + Send>;
type Named = (&'static str, fn() -> Result<(), String>);

fn tests() -> Vec<(String, Test)> {
    let mut tests: Vec<(String, Test)> = Vec::new();
    for dim in [2, 3, 4, 5, 8, 16, 17, 33, 64, 128, 384] {
        tests.push((format!("velocity_at_width_{dim}"), Box::new(move || velocity::velocity_at_width(dim))));
    }
    for dim in [2, 3, 4, 5, 9, 16] {
        tests.push((format!("advance_at_width_{dim}"), Box::new(move || advance::tile_edges(dim))));
    }
    let named =
        [velocities(), models(), steps(), harmonics(), observations_and_devices(), measured()].into_iter().flatten();
    tests.extend(named.map(|(name, test)| (name.into(), Box::new(test) as Test)));
    tests
}

fn velocities() -> Vec<Named> {
    vec![
        ("velocity_with_general_matrices", velocity::general_matrices),
        ("velocity_of_several_heads", velocity::several_heads),
        ("velocity_with_weights", velocity::weights),
        ("velocity_with_masks", velocity::masks),
        ("velocity_with_passive_tokens", velocity::passive_tokens),
        ("velocity_of_replicas", velocity::replicas),
        ("velocity_at_extreme_beta", velocity::extreme_beta),
        ("velocity_of_distant_tokens_at_extreme_beta", velocity::distant_tokens),
        ("velocity_of_long_sums", velocity::long_sums),
        ("velocity_in_many_segments", layout::many_segments),
        ("tokens_in_many_segments", layout::runs_of_tokens),
        ("velocity_in_many_slices", layout::many_slices),
        ("velocity_as_shaped_for_hardware", layout::shaped_for_hardware),
        ("velocity_in_many_dispatches", layout::many_dispatches),
        ("velocity_on_a_small_grid", layout::small_grid),
        ("velocity_repeats_bit_for_bit", layout::repeats),
        ("velocity_comparison_has_teeth", velocity::teeth),
    ]
}

fn models() -> Vec<Named> {
    vec![
        ("model_heads_with_a_beta_and_a_weight", model::heads_with_a_beta_and_a_weight),
        ("model_perceptrons", model::perceptrons),
        ("model_products", model::products),
        ("model_every_geometry", model::every_geometry),
        ("model_layers", model::layers),
        ("model_windows", model::windows),
        ("model_noises", model::noises),
        ("terms_positions_in_pieces", terms::positions),
        ("terms_hardmax_in_pieces", terms::hardmax),
        ("terms_pointwise_in_pieces", terms::pointwise),
        ("terms_sinkhorn_in_pieces", terms::sinkhorn),
        ("terms_betas_of_replicas_in_pieces", terms::betas_of_replicas),
        ("terms_frozen_in_pieces", terms::frozen),
        ("terms_without_heads", terms::without_heads),
        ("terms_geometries_that_change", terms::geometries_that_change),
        ("model_many_draws", model::many_draws),
        ("model_full_matrices_that_change", model::full_matrices_that_change),
    ]
}

fn steps() -> Vec<Named> {
    vec![
        ("combine_moves_and_retracts", scheme::combine),
        ("advance_under_every_model", advance::every_model),
        ("advance_at_extreme_beta", advance::extreme_beta),
        ("advance_in_many_pieces", advance::many_pieces),
        ("advance_ends_where_stages_end", advance::beside_stages),
        ("advance_tells_every_step", advance::events),
        ("advance_tells_of_an_overflow", advance::overflow),
        ("advance_on_a_lost_device", advance::lost_device),
    ]
}

fn harmonics() -> Vec<Named> {
    vec![
        ("harmonic_velocity_by_temperature", harmonic::velocity_by_temperature),
        ("harmonic_velocity_at_high_degree", harmonic::velocity_at_high_degree),
        ("harmonic_velocity_of_varied_problems", harmonic::velocity_of_varied_problems),
        ("harmonic_velocity_in_many_segments", harmonic::velocity_in_many_segments),
        ("harmonic_velocity_in_many_dispatches", harmonic::velocity_in_many_dispatches),
        ("harmonic_velocity_of_long_sums", harmonic::velocity_of_long_sums),
        ("harmonic_step_follows_the_field", harmonic::a_step_follows_the_field),
        ("harmonic_repeats_bit_for_bit", harmonic::repeats),
        ("harmonic_observations", harmonic_check::observations),
        ("harmonic_sample_sees_many_keys", harmonic_check::a_sample_sees_many_keys),
        ("harmonic_owns_a_short_expansion", harmonic_check::a_short_expansion_is_owned),
        ("harmonic_owns_rounding", harmonic_check::rounding_is_owned),
        ("harmonic_remarks_on_a_lonely_token", harmonic_check::a_lonely_token_is_remarked_on),
        ("harmonic_auto_goes_on_with_direct_sums", harmonic_check::auto_goes_on_with_direct_sums),
    ]
}

fn observations_and_devices() -> Vec<Named> {
    vec![
        ("observe_reduces_the_state", observe::observe),
        ("observe_energy_at_extreme_beta", observe::energy_at_extreme_beta),
        ("observe_in_many_segments", observe::observe_in_many_segments),
        ("tokens_return_as_they_came", tokens_return),
        ("open_refuses_what_does_not_fit", refuses),
        ("observe_without_room", observe::without_room),
        ("a_lost_device_is_told", lost_device),
    ]
}

fn measured() -> Vec<Named> {
    vec![
        ("measured_overlaps_by_width_and_count", measured::overlaps_by_width_and_count),
        ("measured_overlaps_in_many_segments", measured::overlaps_in_many_segments),
        ("measured_overlaps_of_tokens_with_weight", measured::overlaps_of_tokens_with_weight),
        ("measured_overlaps_of_many_tokens", measured::overlaps_of_many_tokens),
        ("measured_overlaps_that_are_none", measured::overlaps_that_are_none),
        ("measured_tokens_stay", measured::tokens_stay),
        ("norm_moments_by_width_and_count", norm_moments::by_width_and_count),
        ("norm_moments_in_many_segments", norm_moments::in_many_segments),
        ("norm_moments_beyond_single_precision", norm_moments::beyond_single_precision),
        ("norm_moments_left_to_the_host", norm_moments::left_to_the_host),
        ("norm_moments_stay", norm_moments::tokens_stay),
        ("modes_by_count", modes::by_count),
        ("modes_of_few_directions", modes::of_few_directions),
        ("modes_in_many_segments", modes::in_many_segments),
        ("modes_that_are_none", modes::that_are_none),
        ("modes_left_to_the_host", modes::left_to_the_host),
        ("modes_of_tokens_that_stay", modes::tokens_stay),
        ("attention_statistics_by_width_and_count", attention_statistics::by_width_and_count),
        ("attention_statistics_of_every_head", attention_statistics::of_every_head),
        ("attention_statistics_at_extreme_beta", attention_statistics::at_extreme_beta),
        ("attention_statistics_by_harmonics", attention_statistics::by_harmonics),
        ("attention_statistics_left_to_the_host", attention_statistics::left_to_the_host),
        ("attention_statistics_of_tokens_that_stay", attention_statistics::tokens_stay),
        ("separation_by_width_and_count", separation::by_width_and_count),
        ("separation_of_segments", separation::of_segments),
        ("separation_beyond_single_precision", separation::beyond_single_precision),
        ("separation_of_tokens_that_stay", separation::tokens_stay),
        ("sliced_wasserstein_by_count_and_values", sliced_wasserstein::by_count_and_values),
        ("sliced_wasserstein_by_width", sliced_wasserstein::by_width),
        ("sliced_wasserstein_in_many_pieces", sliced_wasserstein::in_many_pieces),
        ("sliced_wasserstein_sorted_lists_are_permutations", sliced_wasserstein::sorted_lists_are_permutations),
        ("sliced_wasserstein_of_tokens_that_move", sliced_wasserstein::of_tokens_that_move),
        ("sliced_wasserstein_left_to_the_host", sliced_wasserstein::left_to_the_host),
        ("sliced_wasserstein_column_without_tokens", sliced_wasserstein::column_without_tokens),
        ("dissipation_of_every_flow", dissipation::of_every_flow),
        ("dissipation_at_extreme_beta", dissipation::at_extreme_beta),
        ("dissipation_by_harmonics", dissipation::by_harmonics),
        ("dissipation_of_none", dissipation::of_none),
    ]
}

fn tokens_return() -> Result<(), String> {
    let device = bounded(Bounds { segment_bytes: Some(5000), ..Bounds::default() })?;
    for problem in varied_problems() {
        for device in [compare::device()?, &device] {
            let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
            let found = block_on(gpu.tokens()).map_err(text)?;
            compare("tokens", &found, &problem.tokens.coordinates, 0.0)?;
        }
    }
    Ok(())
}

fn refuses() -> Result<(), String> {
    let device = bounded(Bounds { segment_bytes: Some(100), ..Bounds::default() })?;
    match block_on(Gpu::new(&device, &problem(shape(10, 100), 1.0))) {
        Err(BackendError::BelowLimit { limit, needed, available, .. }) => {
            if (limit, available) != ("max_storage_buffer_binding_size", 100) || needed <= available {
                return Err(format!("{limit}: needed {needed}, available {available}"));
            }
            Ok(())
        }
        Err(error) => Err(format!("another error: {error}")),
        Ok(_) => Err("a token larger than a buffer was taken".into()),
    }
}

fn lost_device() -> Result<(), String> {
    let device = bounded(Bounds::default())?;
    let mut gpu = block_on(Gpu::new(&device, &problem(shape(100, 3), 1.0))).map_err(text)?;
    gpu.evaluate(Point::State, Field::Tangent, 0).map_err(text)?;
    device.destroy();
    match block_on(gpu.tokens()) {
        Err(BackendError::DeviceLost { .. }) => Ok(()),
        Err(error) => Err(format!("another error: {error}")),
        Ok(_) => Err("a lost device returned tokens".into()),
    }
}
