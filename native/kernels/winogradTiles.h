// Images as lines of tiles, with channels innermost: a strip of padded rows is transposed from
// [C, H, W], and each patch of it is transformed. One line is the tiles beside each other in one
// image. Read convolutionWinograd.cpp next.
#pragma once
#include "planes.h"
#include "winograd.h"

namespace gradus {
namespace GRADUS_ISA {

// Images [images, channels, height, width] as tiles of a result.
struct TiledImages {
  int64_t channels, height, width;
  int64_t padTop, padLeft;
  int64_t linesEach;    // lines of tiles of an image
  int64_t tilesAcross;  // tiles of a line
  int64_t blocks() const { return ceilDiv(channels, kLane); }
  int64_t plane() const { return height * width; }
};

// Transformed tiles: [point][channel block][tile][kLane].
struct TransformedTiles {
  float* data;
  int64_t blockStep, pointStep;
};

// Points lie an odd number of cache lines apart, or all would fall into one set of the cache.
inline int64_t apart(int64_t elements) { return ceilDiv(elements, 32) * 32 + 16; }

inline TransformedTiles tilesAt(float* data, int64_t tiles, int64_t blocks) {
  return {data, tiles * kLane, apart(tiles * blocks * kLane)};
}
inline int64_t tileElements(int64_t tiles, int64_t blocks) {
  return kPoints * apart(tiles * blocks * kLane);
}

// Lines that are transposed at once, so that a strip stays in the L2 cache.
inline int64_t stripLines(const TiledImages& images) {
  return most(1, least(least(16, images.linesEach), 128 / images.tilesAcross));
}

inline int64_t stripElements(const TiledImages& images) {
  const int64_t rows = stripLines(images) * kTile + kPatch - kTile;
  return rows * (images.tilesAcross * kTile + kPatch - kTile) * kLane;
}

// Some rows of some channels of one image as [rows, columns, kLane], with zeros around; row 0 and
// column 0 of the strip are `top` and −padLeft of the image. Loads stay inside a plane, which has
// a vector's elements at least.
inline void fillStrip(const TiledImages& images, const float* image, int64_t channelsLeft,
                      int64_t top, int64_t rows, int64_t columns, float* strip) {
  const int64_t width = images.width, plane = images.plane();
  const int count = static_cast<int>(least(kLane, channelsLeft));
  const int64_t first = top + least(rows, most(0, -top));
  const int64_t last = most(first, least(images.height, top + rows));
  const int64_t inside = most(0, least(width, columns - images.padLeft));
  const int64_t rowStep = columns * kLane;
  zero(strip, (first - top) * rowStep);
  for (int64_t y = first; y < last; y++) {
    float* row = strip + (y - top) * rowStep;
    zero(row, images.padLeft * kLane);
    const int64_t after = images.padLeft + inside;
    zero(row + after * kLane, (columns - after) * kLane);
  }
  zero(strip + (last - top) * rowStep, (rows - (last - top)) * rowStep);
  for (int64_t at = first * width; at < last * width; at += kLane) {
    const int64_t from = least(at, plane - kLane);
    Lanes pixels[kLane];
    loadTurned(pixels, image + from, plane, count, kLane, true);
    const int64_t end = least(kLane, last * width - from);
    int64_t y = at / width, x = at % width;
    float* to = strip + (y - top) * rowStep + images.padLeft * kLane;
    for (int64_t i = at - from; i < end; i++) {
      if (x < inside) store(to + x * kLane, pixels[i]);
      if (++x == width) {
        x = 0;
        to += rowStep;
      }
    }
  }
}

// Transforms the patches of `lines` lines of tiles, `From` rows and columns each, into `to`.
template <int From, void (*transform)(const Lanes (&)[From], Lanes (&)[6])>
void transformLines(const TiledImages& images, const float* source, int64_t firstLine,
                    int64_t lines, float* strip, const TransformedTiles& to) {
  const int64_t columns = images.tilesAcross * kTile + From - kTile;
  for (int64_t block = 0; block < images.blocks(); block++) {
    float* tiles = to.data + block * to.blockStep;
    for (int64_t line = firstLine; line < firstLine + lines;) {
      const int64_t image = line / images.linesEach, inImage = line % images.linesEach;
      const int64_t count = least(least(stripLines(images), images.linesEach - inImage),
                                  firstLine + lines - line);
      fillStrip(images, source + (image * images.channels + block * kLane) * images.plane(),
                images.channels - block * kLane, inImage * kTile - images.padTop,
                count * kTile + From - kTile, columns, strip);
      for (int64_t i = 0; i < count; i++)
        for (int64_t tile = 0; tile < images.tilesAcross; tile++, tiles += kLane)
          winograd::both<From, 6, transform>(strip + (i * columns + tile) * kTile * kLane,
                                             columns * kLane, kLane, tiles, 6 * to.pointStep,
                                             to.pointStep);
      line += count;
    }
  }
}

}  // namespace GRADUS_ISA
}  // namespace gradus
