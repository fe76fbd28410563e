//! The kernel for every processor: one row after the other, as [`super::format::Tile::dot`] says.

use super::format::{ROWS, Tile};
use super::{Piece, Tiles, tiles_of};

/// Multiplies a piece.
pub(super) fn run(piece: &mut Piece<'_>) {
    let inputs = piece.inputs;
    match piece.tiles {
        Tiles::Four(tiles) => multiply(tiles, &inputs.wide, piece),
        Tiles::Six(tiles) => multiply(tiles, &inputs.wide, piece),
        Tiles::Eight(tiles) => multiply(tiles, &inputs.narrow, piece),
    }
}

fn multiply<T: Tile>(tiles: &[T], inputs: &[T::Input], piece: &mut Piece<'_>) {
    let blocks = inputs.len() / piece.out.len().max(1);
    for (nth, tiles) in tiles_of(piece, tiles, blocks).enumerate() {
        for (out, inputs) in piece.out.iter_mut().zip(inputs.chunks_exact(blocks.max(1))) {
            for (row, out) in out[nth * ROWS..].iter_mut().take(ROWS).enumerate() {
                *out = tiles.iter().zip(inputs).fold(0.0, |sum, (tile, input)| tile.dot(row, input, sum));
            }
        }
    }
}
