"""What a picture is found again by, and whether two pictures are the very same one.

Two things are kept of each picture. Its perceptual hash (PDQ, 256 bits) survives saving anew, resizing, light
and small marks, but not cutting: so there are also some dozens of corner points, places that stand out at their
own scale, each with a word of 28 bits for what its surroundings look like. Words survive cutting and borders;
three or more that agree in where they lie also say how the two pictures lie over each other. What was found that
way is looked at for real: the pictures are laid over each other and compared tile by tile. Two honest photos of
one scene agree here and there; only the same photo agrees nearly everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from anze.evidence.rules import MatchKind
from anze.evidence.rules.pictures import Grey

Floats = NDArray[Any]  # single precision; the type checker cannot follow numpy through arithmetic

GRID = 200  # longer side of a usual picture in which corner points are looked for
_SHORTER = 150  # its shorter side; that of a tall screenshot as well, so that the photo on it is as large
MOST_CORNERS = 40
_SIGMA, _LEVELS, _OCTAVES = 1.2, 3, 3
_REACH = 7.0  # half the width of a point's surroundings, in units of its scale
_SAMPLES = 12
WORD_BITS = 28
_MARK = 1 << 30  # tells words from the bands of the whole hash
LEAST_QUALITY = 20  # of the whole hash; below, a picture has too little in it


@dataclass(frozen=True)
class Corners:
    """Points of a picture: place and scale in parts of its longer side, their word, and what is left of it when
    the picture is mirrored; `weak` are, for each, the bits that may as well be otherwise, the most doubtful first."""

    x: Floats
    y: Floats
    scale: Floats
    word: NDArray[np.int64]
    mirrored: NDArray[np.int64]
    weak: NDArray[np.int64]

    def packed(self) -> bytes:
        """All but the doubtful bits, in 10 bytes a point."""
        made = np.zeros(len(self.x), dtype=_PACKED)
        made["word"] = self.word
        for name in ("x", "y", "scale"):
            made[name] = np.round(getattr(self, name) * 65535)
        return made.tobytes()


_PACKED = np.dtype([("word", "<i4"), ("x", "<u2"), ("y", "<u2"), ("scale", "<u2")])


def unpacked(data: bytes) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """Words and places of kept corner points."""
    kept = np.frombuffer(data, dtype=_PACKED)
    places = [kept[name].astype(np.float32) / 65535 for name in ("x", "y", "scale")]
    return kept["word"].astype(np.int64), places[0], places[1], places[2]


@dataclass(frozen=True)
class Print:
    """The fingerprint of one picture."""

    whole: bytes
    whole_mirrored: bytes
    quality: int
    corners: Corners

    def keys(self) -> list[int]:
        """What is kept under the index: the bands of the whole hash and the words."""
        return [*bands(self.whole, self.quality), *dict.fromkeys(map(int, self.corners.word + _MARK))]

    def asked(self) -> list[int]:
        """What is looked for: also mirrored, and each word with its doubtful bits the other way."""
        words = [self.corners.word, self.corners.mirrored]
        probes = [_MARK + each for word in words for each in _probes(word, self.corners.weak)]
        found = np.unique(np.concatenate(probes)) if probes else np.empty(0, dtype=np.int64)
        return [*bands(self.whole, self.quality), *bands(self.whole_mirrored, self.quality), *map(int, found)]


def _probes(word: NDArray[np.int64], weak: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [word, word ^ weak[:, 0], word ^ weak[:, 1], word ^ weak[:, 0] ^ weak[:, 1]]


def bands(whole: bytes, quality: int) -> list[int]:
    """The hash in sixteen pieces of 16 bits, each with its place; none of a picture with too little in it."""
    if quality < LEAST_QUALITY:
        return []
    return [(place << 16) | int(piece) for place, piece in enumerate(np.frombuffer(whole, dtype=">u2"))]


def distance(one: bytes, other: bytes) -> int:
    """The bits in which two hashes differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def print_of(grey: Grey) -> Print:
    """The fingerprint of a picture, from its grey thumbnail."""
    whole, quality = _hashed(grey)
    return Print(whole, _hashed(grey[:, ::-1])[0], quality, corners_of(grey))


def _hashed(grey: Grey) -> tuple[bytes, int]:
    bits, quality = pdqhash.compute(np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2)))
    return np.packbits(bits).tobytes(), int(quality)


# corner points --------------------------------------------------------------------------------------------


def small(grey: Grey, side: int = GRID) -> Floats:
    """The picture with the given longer side, as numbers from 0 to 1."""
    height, width = grey.shape
    by = side / max(height, width)
    size = (max(1, round(width * by)), max(1, round(height * by)))
    return (
        np.asarray(
            Image.fromarray(grey).resize(size, Image.Resampling.BOX if by < 1 else Image.Resampling.BICUBIC),
            dtype=np.float32,
        )
        / 255
    )


@lru_cache(maxsize=40)
def _kernel(sigma: float) -> Floats:
    reach = max(1, round(3 * sigma))
    found = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma * sigma))
    return np.asarray(found / found.sum(), dtype=np.float32)


def blurred(picture: Floats, sigma: float) -> Floats:
    kernel = _kernel(round(sigma, 3))
    reach = len(kernel) // 2
    for axis in (0, 1):
        wide = np.pad(picture, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        length = picture.shape[axis]
        total = np.zeros_like(picture)
        for i, weight in enumerate(kernel):
            total += weight * (wide[i : i + length] if axis == 0 else wide[:, i : i + length])
        picture = total
    return picture


def _extreme(stack: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the inner levels of a stack are larger, or smaller, than all 26 neighbours in place and scale."""
    made = []
    for sign in (1, -1):
        values = stack * sign
        most = values.copy()
        for axis in (1, 2):
            before = most.copy()
            front: list[slice] = [slice(None)] * 3
            back: list[slice] = [slice(None)] * 3
            front[axis], back[axis] = slice(1, None), slice(None, -1)
            np.maximum(most[tuple(front)], before[tuple(back)], out=most[tuple(front)])
            np.maximum(most[tuple(back)], before[tuple(front)], out=most[tuple(back)])
        around = np.maximum(np.maximum(most[:-2], most[2:]), most[1:-1])
        made.append(values[1:-1] >= around)
    return made[0], made[1]


@lru_cache(maxsize=1)
def _waves() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The cosine waves whose signs make a word, and which of them turn round in a mirror."""
    n = (np.arange(_SAMPLES) + 0.5) * np.pi / _SAMPLES
    table = np.array([np.cos(k * n) for k in range(_SAMPLES)])
    order = sorted(
        ((u, v) for u in range(6) for v in range(6) if (u, v) not in ((0, 0), (0, 2), (2, 0), (2, 2))),
        key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair),
    )[:WORD_BITS]
    made = np.array([np.outer(table[v], table[u]).ravel() for u, v in order], dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True), np.array([u % 2 == 1 for u, _v in order])


def corners_of(grey: Grey) -> Corners:
    """The points of a picture that stand out most, spread over it."""
    picture = small(grey, min(400, round(_SHORTER * max(grey.shape) / min(grey.shape))))
    span = max(picture.shape)
    found: list[tuple[Floats, ...]] = []
    levels: list[Floats] = []
    base = blurred(picture, _SIGMA)
    factor = 2.0 ** (1.0 / _LEVELS)
    for octave in range(_OCTAVES):
        if min(base.shape) < 16:
            break
        stack = [base]
        for level in range(1, _LEVELS + 3):
            before = _SIGMA * factor ** (level - 1)
            stack.append(blurred(stack[-1], before * float(np.sqrt(factor**2 - 1))))
        blurs = np.stack(stack)
        levels.append(blurs)
        found.append(_points(np.diff(blurs, axis=0), octave))
        base = np.ascontiguousarray(stack[_LEVELS][::2, ::2])
    rows = [np.concatenate([each[i] for each in found]) for i in range(6)] if found else [np.empty(0)] * 6
    x, y, sigma, response, octave_of, level_of = rows
    kept = _spread(x, y, response, picture.shape)
    x, y, sigma, octave_of, level_of = (each[kept] for each in (x, y, sigma, octave_of, level_of))
    words, mirrored, weak = _words(levels, x, y, sigma, octave_of, level_of)
    return Corners(
        (x / span).astype(np.float32), (y / span).astype(np.float32), (sigma / span).astype(np.float32),
        words, mirrored, weak,
    )  # fmt: skip


def _points(dog: Floats, octave: int) -> tuple[Floats, ...]:
    """Extremes of the differences of two blurs, placed between the pixels; edges are left out."""
    high, low = _extreme(dog)
    inner = dog[1:-1]
    is_point = (high | low) & (np.abs(inner) > 0.006)
    is_point[:, :2] = is_point[:, -2:] = False
    is_point[:, :, :2] = is_point[:, :, -2:] = False
    k, i, j = np.nonzero(is_point)
    k = k + 1

    def at(dk: int, di: int, dj: int) -> Floats:
        return dog[k + dk, i + di, j + dj]

    here = at(0, 0, 0)
    gx, gy, gs = (at(0, 0, 1) - at(0, 0, -1)) / 2, (at(0, 1, 0) - at(0, -1, 0)) / 2, (at(1, 0, 0) - at(-1, 0, 0)) / 2
    xx, yy, ss = (
        at(0, 0, 1) + at(0, 0, -1) - 2 * here,
        at(0, 1, 0) + at(0, -1, 0) - 2 * here,
        at(1, 0, 0) + at(-1, 0, 0) - 2 * here,
    )
    xy = (at(0, 1, 1) - at(0, 1, -1) - at(0, -1, 1) + at(0, -1, -1)) / 4
    determinant = xx * yy - xy * xy
    is_corner = (determinant > 0) & ((xx + yy) ** 2 < 12.1 * determinant)

    def off(slope: Floats, bend: Floats) -> Floats:
        return np.clip(-slope / np.where(np.abs(bend) < 1e-9, 1e-9, bend), -0.5, 0.5)

    by = 2.0**octave
    x = (j + off(gx, xx)) * by
    y = (i + off(gy, yy)) * by
    sigma = _SIGMA * 2 ** ((k + off(gs, ss)) / _LEVELS) * by
    rows = (x, y, sigma, np.abs(here), np.full(len(k), octave), k)
    return tuple(np.asarray(each, dtype=np.float32)[is_corner] for each in rows)


def _spread(x: Floats, y: Floats, response: Floats, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """The strongest points, at most some in each of 5 × 5 fields: one busy corner does not take all."""
    order = np.argsort(-response, kind="stable")
    field = (np.clip(y[order] * 5 / shape[0], 0, 4).astype(int)) * 5 + np.clip(x[order] * 5 / shape[1], 0, 4).astype(
        int
    )
    counts = np.zeros(25, dtype=int)
    kept = []
    for place, where in zip(order, field, strict=True):
        if counts[where] < 3:
            counts[where] += 1
            kept.append(place)
            if len(kept) == MOST_CORNERS:
                break
    return np.array(kept, dtype=np.intp)


def _words(
    levels: list[Floats], x: Floats, y: Floats, sigma: Floats, octave_of: Floats, level_of: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The word of each point, that of its mirror picture, and its two most doubtful bits."""
    waves, turns = _waves()
    steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES * 2 - 1
    patches = np.zeros((len(x), _SAMPLES * _SAMPLES), dtype=np.float32)
    for octave, blurs in enumerate(levels):
        mine = np.nonzero(octave_of == octave)[0]
        if not len(mine):
            continue
        by = 2.0**octave
        reach = (sigma[mine] * _REACH / by)[:, None, None]
        px = (x[mine] / by)[:, None, None] + reach * steps[None, None, :]
        py = (y[mine] / by)[:, None, None] + reach * steps[None, :, None]
        px, py = np.broadcast_arrays(px, py)
        # blurred enough for the coarse samples: the last level of the octave
        plane = blurs[_LEVELS]
        height, width = plane.shape
        # beyond the edge the picture is continued as in a mirror
        px, py = _folded(px, width - 1.001), _folded(py, height - 1.001)
        left, top = px.astype(int), py.astype(int)
        fx, fy = px - left, py - top
        value = (
            plane[top, left] * (1 - fx) * (1 - fy) + plane[top, left + 1] * fx * (1 - fy)
            + plane[top + 1, left] * (1 - fx) * fy + plane[top + 1, left + 1] * fx * fy
        )  # fmt: skip
        patches[mine] = value.reshape(len(mine), -1)
    strength = patches @ waves.T
    bits = strength > 0
    weights = (1 << np.arange(WORD_BITS)).astype(np.int64)
    doubtful = np.argsort(np.abs(strength), axis=1)[:, :2]
    mirrored = bits ^ turns[None, :]
    return bits @ weights, mirrored @ weights, weights[doubtful] if len(x) else np.zeros((0, 2), dtype=np.int64)


def _folded(values: Floats, most: float) -> Floats:
    values = np.abs(values)
    values = np.where(values > most, 2 * most - values, values)
    return np.clip(values, 0, most)


# laying two pictures over each other ------------------------------------------------------------------------


@dataclass(frozen=True)
class Placement:
    """How the new picture lies over the kept one: kept = by × new + shift, in parts of each one's longer side."""

    by: float
    dx: float
    dy: float
    votes: int
    is_mirrored: bool = False


def placements(new: Corners, aspect: float, kept: bytes) -> list[Placement]:
    """The ways two pictures could lie over each other, by words they share that agree on one; the best first.

    `aspect`: the new picture's width in parts of its longer side, where its mirror picture begins.
    """
    words, kx, ky, ks = unpacked(kept)
    made = []
    for is_mirrored in (False, True):
        mine = new.mirrored if is_mirrored else new.word
        x = (aspect - new.x) if is_mirrored else new.x
        found = [
            (n, k)
            for probe in _probes(mine, new.weak)
            for n, k in zip(*np.nonzero(probe[:, None] == words[None, :]), strict=True)
        ]
        if len(found) < 2:
            continue
        n, k = np.array(found).T
        by = ks[k] / np.maximum(new.scale[n], 1e-6)
        dx, dy = kx[k] - by * x[n], ky[k] - by * new.y[n]
        # each pair proposes; the others agree where the point would land near its place
        wx = by[:, None] * x[n][None, :] + dx[:, None] - kx[k][None, :]
        wy = by[:, None] * new.y[n][None, :] + dy[:, None] - ky[k][None, :]
        agrees = (np.hypot(wx, wy) < 0.03) & (np.abs(np.log(by[:, None] / by[None, :])) < 0.25)
        best = int(np.argmax(agrees.sum(axis=1)))
        inside = agrees[best]
        votes = len({(int(a), int(b)) for a, b in zip(n[inside], k[inside], strict=True)})
        if votes < 2:
            continue
        fitted = _fitted(x[n][inside], new.y[n][inside], kx[k][inside], ky[k][inside], float(by[best]))
        made.append(Placement(*fitted, votes, is_mirrored))
    return sorted(made, key=lambda each: -each.votes)


def _fitted(x: Floats, y: Floats, kx: Floats, ky: Floats, by: float) -> tuple[float, float, float]:
    """Scale and shift with the least squares, where the points lie far enough apart to say."""
    mx, my, mkx, mky = (float(each.mean()) for each in (x, y, kx, ky))
    spread = float(((x - mx) ** 2 + (y - my) ** 2).sum())
    if spread > 0.01:
        by = float(((x - mx) * (kx - mkx) + (y - my) * (ky - mky)).sum()) / spread
    by = min(4.0, max(0.25, by))
    return by, mkx - by * mx, mky - by * my


@dataclass(frozen=True)
class Verdict:
    """That two pictures are the same one, and in what way."""

    kind: MatchKind
    distance: int
    likeness: float


LEAST_WORDS = 2  # shared, before a picture is looked at; or so few bits of the whole hash apart:
NEAR_BITS = 60
LEAST_AGREEING = 0.70  # of the tiles; see docs/evidence.md for what this finds and what it takes for the same
MOST_MOVED = 0.03  # of the tiles
LEAST_MEDIAN = 0.972  # likeness of the middle tile; copies have 0.976 and more, other photos of a scene less
LEAST_TILES = 12
_WHOLE = 0.93  # covers of either picture from which the two are the same whole


def is_word(key: int) -> bool:
    return key >= _MARK


def same(found: Print, grey: Grey, whole: bytes, corners: bytes, other: Grey) -> Verdict | None:
    """Whether a new picture and a kept one are the same, judged by their pixels."""
    ways = placements(found.corners, grey.shape[1] / max(grey.shape), corners)
    apart, mirrored_apart = distance(whole, found.whole), distance(whole, found.whole_mirrored)
    if apart <= NEAR_BITS:
        ways.insert(0, Placement(1.0, 0.0, 0.0, 0))
    if mirrored_apart <= NEAR_BITS:
        ways.insert(0, Placement(1.0, 0.0, 0.0, 0, is_mirrored=True))
    for way in ways[:3]:
        seen = compare(grey, other, way)
        if seen.tiles < LEAST_TILES or seen.agreeing < LEAST_AGREEING:
            continue
        if seen.moved > MOST_MOVED or seen.median < LEAST_MEDIAN:
            continue
        if way.is_mirrored:
            return Verdict(MatchKind.MIRRORED, mirrored_apart, seen.agreeing)
        is_whole = min(seen.of_new, seen.of_kept) >= _WHOLE
        return Verdict(MatchKind.NEAR if is_whole else MatchKind.PART, apart, seen.agreeing)
    return None


@dataclass(frozen=True)
class Likeness:
    """How two pictures agree: the part of the tiles with something in them that agree, and of those that would,
    were they moved a little; how many tiles there are; how much of either picture the other covers."""

    agreeing: float
    moved: float
    median: float
    tiles: int
    of_new: float
    of_kept: float


_NOTHING = Likeness(0.0, 0.0, 0.0, 0, 0.0, 0.0)
TILE = 14  # pixels
_AGREES = 0.80
_SOMETHING = 0.012  # least contrast of a tile that can be compared
_HOPELESS = 0.35  # median and mean likeness together, after a first round of setting right
_SHIFTS = [(a, b) for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4) if (a, b) != (0, 0)]


def compare(new: Grey, kept: Grey, placement: Placement) -> Likeness:
    """Lay the pictures over each other, set the last pixels right, and compare them tile by tile.

    Both are brought to the same scale first. A copy with something printed on it differs where that is; another
    photo of the same scene differs because near things moved against far ones, and those tiles agree again when
    they are moved back.
    """
    side = min(400, round(GRID * max(1.0, placement.by)))
    one = small(new[:, ::-1] if placement.is_mirrored else new, side)
    other = small(kept, min(800, max(40, round(side / placement.by))))
    step = 1.0 / side
    bright = (one > _WHITE, other > _WHITE)
    one, other = _edges(one), _edges(other)
    one[bright[0]] = np.nan
    other[bright[1]] = np.nan
    at = (placement.by, placement.dx, placement.dy)
    score, best = _agreement(one, other, *at)
    # from coarse to fine, one thing after another: whichever change of scale or shift makes the tiles agree more
    for size in (5.0, 2.5, 1.2, 0.6, 0.3):
        for _sweep in (0, 1):
            before = score
            for turn in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
                for sign in (1, -1):
                    tried = _nudged(at, turn, sign * size * step, one.shape)
                    gained, seen = _agreement(one, other, *tried)
                    if gained > score:
                        score, best, at = gained, seen, tried
                        break
            if score == before:
                break
        if score < _HOPELESS:
            return _NOTHING
    if best.tiles < LEAST_TILES or best.agreeing < LEAST_AGREEING or best.agreeing == 1:
        return best
    still = _likeness(one, other, *at)[0]
    found = np.zeros_like(still)
    for a, b in _SHIFTS:
        shifted, _tiles = _likeness(one, other, at[0], at[1] + a * step, at[2] + b * step, still.shape)
        found = np.fmax(found, shifted)
    moved = float(((still < _AGREES) & (found > _MOVED)).sum()) / best.tiles
    return replace(best, moved=moved)


_WHITE = 0.97  # brighter is burnt out and says nothing
_MOVED = 0.88


def _nudged(
    at: tuple[float, float, float], turn: tuple[int, int, int], by: float, shape: tuple[int, ...]
) -> tuple[float, float, float]:
    """A placement a little larger or to one side; it grows about the middle, so that it does not shift as well."""
    scale = at[0] * (1 + turn[0] * by)
    height, width = shape
    grown = (at[0] - scale) / 2 / max(shape)
    return scale, at[1] + grown * width + turn[1] * by, at[2] + grown * height + turn[2] * by


def _edges(picture: Floats) -> Floats:
    """The picture without its slow changes of light, which a new exposure or a lamp makes."""
    return blurred(picture, 0.8) - blurred(picture, 6.0)


def _agreement(one: Floats, other: Floats, by: float, dx: float, dy: float) -> tuple[float, Likeness]:
    likeness, (of_new, of_kept) = _likeness(one, other, by, dx, dy)
    has = likeness[~np.isnan(likeness)]
    if not len(has):
        return 0.0, _NOTHING
    seen = Likeness(float((has > _AGREES).mean()), 0.0, float(np.median(has)), len(has), of_new, of_kept)
    return float(np.median(has) + has.mean()), seen


def _likeness(
    one: Floats, other: Floats, by: float, dx: float, dy: float, shape: tuple[int, ...] | None = None
) -> tuple[Floats, tuple[float, float]]:
    """The correlation of every tile, without a number where there is nothing in it; and the mutual covers."""
    height, width = one.shape
    span, kept_span = max(one.shape), max(other.shape)
    px = (np.arange(width) / span * by + dx) * kept_span
    py = (np.arange(height) / span * by + dy) * kept_span
    in_x = np.nonzero((px >= 0) & (px <= other.shape[1] - 1))[0]
    in_y = np.nonzero((py >= 0) & (py <= other.shape[0] - 1))[0]
    if len(in_x) < 2 * TILE or len(in_y) < 2 * TILE:
        return np.full(shape or (1, 1), np.nan, dtype=np.float32), (0.0, 0.0)
    # tiles lie in the new picture's own raster, so that they stay the same when it is shifted
    rows, columns = height // TILE, width // TILE
    theirs = np.full((rows * TILE, columns * TILE), np.nan, dtype=np.float32)
    y1, x1 = min(in_y[-1] + 1, rows * TILE), min(in_x[-1] + 1, columns * TILE)
    theirs[in_y[0] : y1, in_x[0] : x1] = _sampled(other, py[in_y[0] : y1], px[in_x[0] : x1])
    mine = one[: rows * TILE, : columns * TILE]
    tiled = (rows, TILE, columns, TILE)
    a = mine.reshape(tiled).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    b = theirs.reshape(tiled).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    known = ~(np.isnan(a) | np.isnan(b))
    count = known.sum(axis=2)
    n = np.maximum(count, 1)[:, :, None]
    a = np.where(known, a, 0)
    b = np.where(known, b, 0)
    a = np.where(known, a - a.sum(axis=2, keepdims=True) / n, 0)
    b = np.where(known, b - b.sum(axis=2, keepdims=True) / n, 0)
    na, nb = np.sqrt((a * a).sum(axis=2) / n[:, :, 0]), np.sqrt((b * b).sum(axis=2) / n[:, :, 0])
    has = (np.maximum(na, nb) > _SOMETHING) & (count > TILE * TILE * 0.6)
    likeness = (a * b).sum(axis=2) / n[:, :, 0] / np.maximum(na * nb, 1e-9)
    of_new = len(in_x) * len(in_y) / (width * height)
    of_kept = len(in_x) * len(in_y) * (by * kept_span / span) ** 2 / (other.shape[0] * other.shape[1])
    return np.where(has, likeness, np.nan), (of_new, min(1.0, of_kept))


def _sampled(plane: Floats, py: Floats, px: Floats) -> Floats:
    left = np.clip(px.astype(int), 0, plane.shape[1] - 2)
    top = np.clip(py.astype(int), 0, plane.shape[0] - 2)
    fx, fy = (px - left).astype(np.float32), (py - top).astype(np.float32)[:, None]
    upper, lower = plane[top], plane[top + 1]
    upper = upper[:, left] * (1 - fx) + upper[:, left + 1] * fx
    lower = lower[:, left] * (1 - fx) + lower[:, left + 1] * fx
    return np.asarray(upper * (1 - fy) + lower * fy)
