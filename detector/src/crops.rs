//! Where the models look: square windows at native resolution.
//!
//! What models read are traces in the last bit of a pixel, and resizing erases them, so no picture is shrunk to
//! fit. Half of the windows lie where there is most texture, half are spread over the picture. This file knows
//! nothing of models but the side of their window.
//!
//! The rule in full, so that a training recipe can repeat it: a picture smaller than the window is tiled to its
//! size; candidates stand evenly, at most half a window apart; texture is the mean variance of the green channel over
//! the 16-pixel cells inside a window; the busiest candidates are taken first, then four fixed places along the longer
//! side, then the busiest of the rest until there are eight (four in the delivered view); a window that shares half
//! its area or more with one already taken is left out, and so is a flat one.

use std::cmp::Reverse;

use ndarray::{Array3, ArrayView3, Axis, CowArray, Ix3, Slice};

use crate::detection::Applicability;

/// Shorter side, in pixels, under which a picture is [`Applicability::Tiny`]: half the side of a usual window, so
/// that at most three quarters of what a model sees are repeats. Source: own choice, no smaller picture is in a
/// calibration sample.
pub const MIN_SIDE_PX: u32 = 128;

/// Longer side over shorter side above which a picture is [`Applicability::ExtremeAspect`]: longer strips are
/// banners and screenshots of scrolled pages. Source: own choice, none is in a calibration sample.
pub const MAX_ASPECT: u32 = 8;

/// Most windows taken from the native view of a picture.
pub const MAX_CROPS: usize = 8;

/// Most windows taken from the delivered view: it is asked only whether it agrees, and its shorter side is at most 512
/// pixels, so that four windows of 256 cover a square picture.
pub(crate) const DELIVERED_CROPS: usize = 4;

/// Why a picture of this size lies outside every model's domain; `None` when it does not.
pub fn outside(width_px: u32, height_px: u32) -> Option<Applicability> {
    let (short, long) = (width_px.min(height_px), width_px.max(height_px));
    if short < MIN_SIDE_PX {
        Some(Applicability::Tiny)
    } else if long > short.saturating_mul(MAX_ASPECT) {
        Some(Applicability::ExtremeAspect)
    } else {
        None
    }
}

/// Takes up to `most` windows `[side, side, 3]` out of `pixels` `[H, W, 3]`; none when the picture is flat.
///
/// The order is fixed by the pixels alone. `pixels` must not be empty.
pub(crate) fn take(pixels: ArrayView3<'_, u8>, side: usize, most: usize) -> Vec<Array3<u8>> {
    let placed = take_placed(pixels, side, most).into_iter();
    placed.map(|(_, window)| window).collect()
}

/// The same, each with its top left corner. A small picture is tiled, so a window may reach beyond it.
pub(crate) fn take_placed(
    pixels: ArrayView3<'_, u8>,
    side: usize,
    most: usize,
) -> Vec<(Spot, Array3<u8>)> {
    let pixels = tiled(pixels, side);
    let texture = Texture::measure(pixels.view());
    let (height, width, _) = pixels.dim();
    let window = |spot: Spot| (spot, copied(window(pixels.view(), spot, side, side)));
    choose(width - side, height - side, side, most, &texture)
        .into_iter()
        .map(window)
        .collect()
}

// `ndarray::s!` would be shorter, but it expands to a lint attribute that `forbid(unsafe_code)` refuses.
fn window(
    pixels: ArrayView3<'_, u8>,
    spot: Spot,
    height: usize,
    width: usize,
) -> ArrayView3<'_, u8> {
    let mut window = pixels;
    window.slice_axis_inplace(Axis(0), Slice::from(spot.y..spot.y + height));
    window.slice_axis_inplace(Axis(1), Slice::from(spot.x..spot.x + width));
    window
}

/// The window by itself, copied line by line; `to_owned` goes value by value where a window is cut out.
fn copied(window: ArrayView3<'_, u8>) -> Array3<u8> {
    let lines: Option<Vec<_>> = window.outer_iter().map(|line| line.to_slice()).collect();
    let bytes = lines.map(|lines| lines.concat());
    bytes
        .and_then(|bytes| Array3::from_shape_vec(window.dim(), bytes).ok())
        .unwrap_or_else(|| window.to_owned())
}

/// Top left corner of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) y: usize,
    pub(crate) x: usize,
}

impl Spot {
    /// Do the two windows share half their area or more?
    fn crowds(self, other: Self, side: usize) -> bool {
        let shared = |a: usize, b: usize| side.saturating_sub(a.abs_diff(b));
        2 * shared(self.x, other.x) * shared(self.y, other.y) >= side * side
    }
}

fn choose(free_x: usize, free_y: usize, side: usize, most: usize, texture: &Texture) -> Vec<Spot> {
    let mut busiest: Vec<_> = candidates(free_x, free_y, side)
        .map(|spot| (Reverse(texture.mean(spot, side)), spot))
        .collect();
    busiest.sort_unstable();
    let by_texture = busiest.into_iter().map(|(_, spot)| spot);
    let mut chosen = Vec::with_capacity(most);
    add(&mut chosen, most / 2, by_texture.clone(), side, texture);
    let spread = spread(free_x, free_y);
    add(&mut chosen, most, spread, side, texture);
    add(&mut chosen, most, by_texture, side, texture);
    chosen
}

fn add(
    chosen: &mut Vec<Spot>,
    most: usize,
    spots: impl Iterator<Item = Spot>,
    side: usize,
    texture: &Texture,
) {
    for spot in spots {
        if chosen.len() >= most {
            return;
        }
        let crowded = chosen.iter().any(|other| spot.crowds(*other, side));
        if !crowded && texture.mean(spot, side) >= FLAT_BELOW {
            chosen.push(spot);
        }
    }
}

/// Evenly spaced corners over the free range, at most half a window apart.
fn candidates(free_x: usize, free_y: usize, side: usize) -> impl Iterator<Item = Spot> {
    let steps = move |free: usize| {
        free.div_ceil(side / 2)
            .min(MAX_STEPS)
            .max(usize::from(free > 0))
    };
    let at = |free: usize, step: usize, steps: usize| (free * step).checked_div(steps).unwrap_or(0);
    let (steps_x, steps_y) = (steps(free_x), steps(free_y));
    (0..=steps_y).flat_map(move |row| {
        let y = at(free_y, row, steps_y);
        (0..=steps_x).map(move |column| Spot {
            y,
            x: at(free_x, column, steps_x),
        })
    })
}

/// Four fixed places: evenly along the longer free range, by turns a quarter in from either end of the other.
fn spread(free_x: usize, free_y: usize) -> impl Iterator<Item = Spot> {
    (0..4).map(move |place| {
        let along = |free: usize| free * (2 * place + 1) / 8;
        let across = |free: usize| free * (1 + 2 * (place % 2)) / 4;
        if free_x >= free_y {
            Spot {
                y: across(free_y),
                x: along(free_x),
            }
        } else {
            Spot {
                y: along(free_y),
                x: across(free_x),
            }
        }
    })
}

/// The picture itself, or repeated to the right and downwards until a window fits.
fn tiled(pixels: ArrayView3<'_, u8>, side: usize) -> CowArray<'_, u8, Ix3> {
    let (height, width, _) = pixels.dim();
    if height >= side && width >= side {
        return pixels.into();
    }
    let repeat = |(y, x, channel)| pixels[[y % height, x % width, channel]];
    Array3::from_shape_fn((height.max(side), width.max(side), 3), repeat).into()
}

/// Variance of the green channel, which carries most of the brightness, in every whole cell of a picture.
struct Texture {
    columns: usize,
    /// Row by row, in units of 1 / [`CELL_PIXELS`]² grey levels².
    cells: Vec<u64>,
}

impl Texture {
    fn measure(pixels: ArrayView3<'_, u8>) -> Self {
        let green = pixels.index_axis(Axis(2), 1);
        // The pixels right of and below the last whole cell belong to none.
        let cells = green
            .exact_chunks((CELL_PX, CELL_PX))
            .into_iter()
            .map(|cell| {
                let (sum, squares) = cell.fold((0_u32, 0_u32), |(sum, squares), value| {
                    let value = u32::from(*value);
                    (sum + value, squares + value * value)
                });
                CELL_PIXELS * u64::from(squares) - u64::from(sum) * u64::from(sum)
            });
        Self {
            columns: green.ncols() / CELL_PX,
            cells: cells.collect(),
        }
    }

    /// Mean over the cells that lie wholly inside the window; a window is at least two cells wide, so there is one.
    fn mean(&self, spot: Spot, side: usize) -> u64 {
        let cells = |from: usize| from.div_ceil(CELL_PX)..(from + side) / CELL_PX;
        let rows = cells(spot.y).filter_map(|row| {
            let start = row * self.columns;
            let columns = cells(spot.x);
            self.cells.get(start + columns.start..start + columns.end)
        });
        let (sum, count) = rows
            .flatten()
            .fold((0, 0), |(sum, count), cell| (sum + cell, count + 1));
        u64::checked_div(sum, count).unwrap_or(0)
    }
}

/// Side of a texture cell: two JPEG blocks.
const CELL_PX: usize = 16;
const CELL_PIXELS: u64 = 256;

/// A window is flat when its cells vary by less than one grey level (standard deviation): nothing is left to read
/// but rounding.
const FLAT_BELOW: u64 = CELL_PIXELS * CELL_PIXELS;

/// Most steps of candidates along one side, so that a huge picture costs no more than a large one.
const MAX_STEPS: usize = 64;

#[cfg(test)]
mod tests {
    use ndarray::{Array3, Axis, Slice};
    use proptest::prelude::*;

    use super::{MAX_CROPS, Spot, Texture, choose, outside, take};
    use crate::detection::Applicability;

    /// Grey noise of that strength, the same for the same size.
    fn noise(height: usize, width: usize, strength: u8) -> Array3<u8> {
        let mut state = 1_u32;
        Array3::from_shape_simple_fn((height, width, 3), || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            128 + state.to_be_bytes()[0] % strength
        })
    }

    /// Writes `patch` into `pixels` at that place.
    fn put(pixels: &mut Array3<u8>, y: usize, x: usize, patch: &Array3<u8>) {
        let (height, width, _) = patch.dim();
        let mut rows = pixels.slice_axis_mut(Axis(0), Slice::from(y..y + height));
        rows.slice_axis_mut(Axis(1), Slice::from(x..x + width))
            .assign(patch);
    }

    #[test]
    fn the_domain_is_bounded_on_both_sides() {
        assert_eq!(outside(127, 500), Some(Applicability::Tiny));
        assert_eq!(outside(1, u32::MAX), Some(Applicability::Tiny));
        assert_eq!(outside(128, 1024), None);
        assert_eq!(outside(1025, 128), Some(Applicability::ExtremeAspect));
        assert_eq!(outside(u32::MAX, u32::MAX), None);
    }

    #[test]
    fn a_picture_of_one_window_is_taken_once_and_whole() {
        let pixels = noise(256, 256, 100);
        assert_eq!(take(pixels.view(), 256, MAX_CROPS), vec![pixels]);
    }

    #[test]
    fn a_large_picture_gives_eight_windows_and_texture_comes_first() {
        let mut pixels = noise(1_000, 1_500, 4);
        put(&mut pixels, 600, 1_100, &noise(256, 256, 120));
        let windows = take(pixels.view(), 256, MAX_CROPS);
        assert_eq!(windows.len(), MAX_CROPS);
        assert!(windows.iter().all(|window| window.dim() == (256, 256, 3)));
        let range =
            |window: &Array3<u8>| window.iter().max().unwrap() - window.iter().min().unwrap();
        assert!(range(&windows[0]) > 100);
        assert_eq!(windows, take(pixels.view(), 256, MAX_CROPS));
    }

    #[test]
    fn a_small_picture_is_tiled() {
        let pixels = noise(130, 300, 100);
        let windows = take(pixels.view(), 256, MAX_CROPS);
        assert!(!windows.is_empty());
        for window in windows {
            let rows =
                |range: std::ops::Range<usize>| window.slice_axis(Axis(0), Slice::from(range));
            assert_eq!(rows(0..126), rows(130..256));
        }
    }

    #[test]
    fn a_flat_picture_gives_no_window_and_flat_places_are_left_out() {
        assert!(take(Array3::from_elem((512, 512, 3), 90).view(), 256, MAX_CROPS).is_empty());
        let mut pixels = Array3::from_elem((1_024, 1_024, 3), 90);
        put(&mut pixels, 0, 0, &noise(256, 256, 100));
        let windows = take(pixels.view(), 256, MAX_CROPS);
        let textured = |window: &Array3<u8>| window.iter().any(|value| *value != 90);
        assert!(!windows.is_empty() && windows.iter().all(textured));
    }

    proptest! {
        #[test]
        fn windows_lie_inside_and_apart(
            width in 128_usize..1_500, height in 128_usize..1_500, side in 32_usize..300,
        ) {
            let (width, height) = (width.max(side), height.max(side));
            let texture = Texture::measure(noise(height, width, 100).view());
            let spots = choose(width - side, height - side, side, MAX_CROPS, &texture);
            prop_assert!((1..=MAX_CROPS).contains(&spots.len()));
            let inside = |spot: &Spot| spot.x + side <= width && spot.y + side <= height;
            prop_assert!(spots.iter().all(inside));
            for (index, spot) in spots.iter().enumerate() {
                prop_assert!(!spots[..index].iter().any(|other| spot.crowds(*other, side)));
            }
        }
    }
}
