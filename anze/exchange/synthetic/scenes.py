"""Drawn photographs: corners of invented workshops, with a hazard in them or without. No real place, nobody's picture.

The same seed draws the same bytes. `view` is where the photographer stands: near things move against far ones, as
they do between two real photographs of one place.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

import numpy as np
from PIL import ExifTags, Image, ImageChops, ImageDraw

from anze.exchange.synthetic.calendar import BEIJING
from anze.exchange.synthetic.streams import stream

WIDTH, HEIGHT = 960, 720
_FINER = 1.5  # drawn so much larger, then made small: lines without stairs
DEVICE = ("Anze", "Synthetic camera")
Colour = tuple[int, int, int]
Point = tuple[float, float]

_STEEL, _DARK, _WHITE = (148, 156, 162), (52, 56, 60), (236, 236, 230)
_RED, _YELLOW, _GREEN, _BLUE = (192, 44, 36), (232, 184, 32), (44, 132, 84), (40, 92, 156)
_MACHINES: tuple[Colour, ...] = ((62, 110, 92), (74, 96, 134), (128, 124, 108), (150, 92, 54), (92, 98, 106))
_WALLS: tuple[Colour, ...] = ((206, 204, 194), (190, 200, 204), (214, 206, 186), (182, 188, 178), (200, 196, 204))
_FLOORS: tuple[Colour, ...] = ((120, 122, 118), (104, 118, 112), (138, 128, 116), (96, 100, 106))


@dataclass(frozen=True)
class Scene:
    """What is to be drawn. `is_bad`: with the hazard; `view`: which of several photographs of the place."""

    seed: int
    place: str
    kind: str
    is_bad: bool
    view: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.place} {self.view}"


class _Sheet:
    """A drawing in units of the picture's width, seen from a place that is never quite the same twice."""

    def __init__(self, random: Random) -> None:
        self.image = Image.new("RGB", (int(WIDTH * _FINER), int(HEIGHT * _FINER)))
        self._pen = ImageDraw.Draw(self.image)
        self._turn = random.uniform(-0.05, 0.05)
        self._zoom = random.uniform(0.94, 1.16)
        self._aside = (random.uniform(-0.07, 0.07), random.uniform(-0.04, 0.04))

    def _at(self, point: Point, near: float) -> Point:
        x, y = point[0] - 0.5, point[1] - 0.375
        x, y = x * math.cos(self._turn) - y * math.sin(self._turn), x * math.sin(self._turn) + y * math.cos(self._turn)
        zoom = self._zoom * (1 + 0.12 * (near - 0.5))
        unit = WIDTH * _FINER
        return (
            (x * zoom + 0.5 + self._aside[0] * (0.3 + near)) * unit,
            (y * zoom + 0.375 + self._aside[1] * (0.3 + near)) * unit,
        )

    def area(self, points: Sequence[Point], fill: Colour, near: float = 0.5) -> None:
        self._pen.polygon([self._at(each, near) for each in points], fill=fill)

    def box(self, x: float, y: float, w: float, h: float, fill: Colour, near: float = 0.5) -> None:
        self.area([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], fill, near)

    def block(
        self, x: float, y: float, w: float, h: float, fill: Colour, near: float = 0.5, deep: float = 0.03
    ) -> None:
        """A box with a top and a side."""
        self.area([(x, y), (x + deep, y - deep), (x + w + deep, y - deep), (x + w, y)], _lit(fill, 1.18), near)
        self.area(
            [(x + w, y), (x + w + deep, y - deep), (x + w + deep, y + h - deep), (x + w, y + h)], _lit(fill, 0.7), near
        )
        self.box(x, y, w, h, fill, near)

    def disc(self, x: float, y: float, r: float, fill: Colour, near: float = 0.5) -> None:
        self.area(
            [(x + r * math.cos(n / 16 * math.pi), y + r * math.sin(n / 16 * math.pi)) for n in range(32)], fill, near
        )

    def line(self, points: Sequence[Point], fill: Colour, width: float, near: float = 0.5) -> None:
        drawn = [self._at(each, near) for each in points]
        self._pen.line(drawn, fill=fill, width=max(1, int(width * WIDTH * _FINER)), joint="curve")

    def place_of(self, point: Point, near: float) -> list[float]:
        """Where a point came to lie, in parts of the finished picture."""
        x, y = self._at(point, near)
        return [round(min(1, max(0, x / self.image.width)), 3), round(min(1, max(0, y / self.image.height)), 3)]


def _lit(colour: Colour, by: float) -> Colour:
    return (min(255, int(colour[0] * by)), min(255, int(colour[1] * by)), min(255, int(colour[2] * by)))


def _room(sheet: _Sheet, random: Random) -> None:
    """Wall, floor, a dado, windows or none, pipes, and the marks of years."""
    wall, floor = random.choice(_WALLS), random.choice(_FLOORS)
    line = random.uniform(0.42, 0.52)
    sheet.box(-0.5, -0.5, 2, line + 0.5, wall, 0.0)
    sheet.box(-0.5, line - random.uniform(0.09, 0.16), 2, 0.2, _lit(random.choice(_MACHINES), 1.05), 0.0)
    sheet.box(-0.5, line, 2, 1.2, floor, 0.2)
    gone = (random.uniform(0.2, 0.8), line - 0.1)
    for n in range(-8, 16):  # the joints of the floor run away from the eye
        foot = n * random.uniform(0.11, 0.13)
        sheet.line(
            [(gone[0] + (foot - gone[0]) * 0.3, line), (foot * 2 - gone[0], 1.2)], _lit(floor, 0.86), 0.0018, 0.3
        )
    for n in range(random.randint(0, 4)):
        x, y = 0.02 + n * random.uniform(0.2, 0.26), random.uniform(0.03, 0.09)
        sheet.box(x, y, 0.16, 0.13, (90, 96, 100), 0.0)
        for k in range(6):
            pane = _lit((176, 200, 214), random.uniform(0.72, 1.16))
            sheet.box(x + 0.006 + k % 3 * 0.051, y + 0.006 + k // 3 * 0.062, 0.045, 0.056, pane, 0.0)
    for _n in range(random.randint(1, 4)):
        y, colour = random.uniform(0.01, 0.3), random.choice((_STEEL, _GREEN, _RED, _YELLOW, _BLUE))
        sheet.line([(-0.3, y), (random.uniform(0.2, 1.3), y)], colour, random.uniform(0.006, 0.016), 0.1)
    for _n in range(random.randint(14, 26)):  # stains, patches, cracks
        x, y, size = random.uniform(-0.1, 1.1), random.uniform(0, 0.8), random.uniform(0.006, 0.05)
        shade = _lit(wall if y < line else floor, random.uniform(0.78, 1.14))
        sheet.area(
            [(x + size * random.uniform(0.4, 1) * math.cos(a), y + 0.5 * size * random.uniform(0.4, 1) * math.sin(a))
             for a in (0, 0.9, 1.8, 2.7, 3.6, 4.5, 5.4)], shade, 0.1,
        )  # fmt: skip
    for _n in range(random.randint(2, 5)):
        w, h = random.uniform(0.08, 0.2), random.uniform(0.08, 0.24)
        x, y = random.uniform(-0.1, 1.0), line - h * random.uniform(0.3, 0.8)
        colour = random.choice(_MACHINES)
        sheet.block(x, y, w, h, colour, 0.25, 0.02)
        for _k in range(random.randint(2, 6)):
            sheet.box(
                x + random.uniform(0.1, 0.7) * w, y + random.uniform(0.1, 0.8) * h, 0.2 * w, 0.1 * h,
                _lit(colour, random.choice((0.6, 0.8, 1.3, 1.5))), 0.25,
            )  # fmt: skip


def _crates(sheet: _Sheet, random: Random, x: float, y: float, most: int) -> None:
    for n in range(random.randint(most - 1, most)):
        size = random.uniform(0.09, 0.13)
        colour = random.choice(((158, 116, 70), (176, 140, 94), (134, 100, 66)))
        left, top = x + n % 3 * 0.1 + random.uniform(-0.01, 0.01), y - n // 3 * 0.1
        sheet.block(left, top, size, size, colour, 0.8)
        for k in (0.25, 0.5, 0.75):
            sheet.line([(left, top + k * size), (left + size, top + k * size)], _lit(colour, 0.75), 0.002, 0.8)


def _cabinet(sheet: _Sheet, random: Random, is_bad: bool) -> Sequence[Point]:
    """A distribution box: its door closed, or gone with loose wires in it."""
    x, y, w, h = random.uniform(0.3, 0.42), random.uniform(0.12, 0.18), 0.26, 0.36
    sheet.block(x, y, w, h, (196, 198, 190), 0.6)
    if not is_bad:
        sheet.box(x + 0.012, y + 0.012, w - 0.024, h - 0.024, (208, 210, 202), 0.6)
        sheet.box(x + w - 0.04, y + h * 0.45, 0.012, 0.05, _DARK, 0.6)
        _triangle(sheet, x + w / 2, y + 0.1, 0.05, 0.6)
        sheet.box(x + 0.05, y + 0.2, w - 0.1, 0.06, _WHITE, 0.6)
    else:
        sheet.box(x + 0.012, y + 0.012, w - 0.024, h - 0.024, (70, 72, 74), 0.6)
        for row in range(3):
            for n in range(6):
                left, top = x + 0.025 + n * 0.035, y + 0.03 + row * 0.11
                sheet.box(left, top, 0.028, 0.06, (222, 222, 216), 0.6)
                sheet.box(left + 0.009, top + random.choice((0.012, 0.03)), 0.01, 0.02, _DARK, 0.6)
        for _n in range(9):
            start = x + random.uniform(0.03, w - 0.03)
            bend = [(start + random.uniform(-0.05, 0.05), y + 0.1 + k * 0.09) for k in range(5)]
            sheet.line(bend, random.choice((_RED, _BLUE, _YELLOW, _GREEN, _DARK)), 0.004, 0.65)
        sheet.box(x + 0.04, y + h - 0.05, 0.07, 0.03, (170, 140, 100), 0.65)
    for n in range(4):
        sheet.line([(x + 0.04 + n * 0.06, y + h), (x + 0.04 + n * 0.06, y + h + 0.14)], _DARK, 0.008, 0.5)
    return [(x - 0.02, y - 0.02), (x + w + 0.05, y + h + 0.02)]


def _extinguishers(sheet: _Sheet, random: Random, is_bad: bool) -> Sequence[Point]:
    """Fire extinguishers in their box: free, or behind crates."""
    x, y = random.uniform(0.3, 0.55), random.uniform(0.3, 0.36)
    sheet.box(x - 0.02, y - 0.16, 0.2, 0.08, _RED, 0.45)
    sheet.box(x + 0.02, y - 0.135, 0.12, 0.03, _WHITE, 0.45)
    for n in range(2):
        left = x + n * 0.09
        sheet.box(left, y + 0.03, 0.06, 0.2, _RED, 0.55)
        sheet.disc(left + 0.03, y + 0.03, 0.03, _RED, 0.55)
        sheet.box(left + 0.022, y - 0.025, 0.016, 0.03, _DARK, 0.55)
        sheet.line([(left + 0.04, y - 0.01), (left + 0.075, y + 0.03), (left + 0.07, y + 0.12)], _DARK, 0.006, 0.55)
        sheet.box(left + 0.01, y + 0.09, 0.04, 0.07, _WHITE, 0.55)
        gauge = _RED if is_bad and n == 0 else _GREEN
        sheet.disc(left + 0.03, y - 0.005, 0.011, gauge, 0.55)
    if is_bad:
        _crates(sheet, random, x - 0.08, y + 0.14, 5)
    else:
        sheet.line([(x - 0.06, y + 0.3), (x + 0.26, y + 0.3), (x + 0.3, y + 0.4), (x - 0.1, y + 0.4), (x - 0.06, y + 0.3)],
                   _YELLOW, 0.008, 0.7)  # fmt: skip
    return [(x - 0.1, y - 0.04), (x + 0.26, y + 0.28)]


def _passage(sheet: _Sheet, random: Random, is_bad: bool) -> Sequence[Point]:
    """A way out with its sign and yellow lines: free, or full of goods."""
    x = random.uniform(0.36, 0.5)
    sheet.box(x, 0.14, 0.2, 0.36, (120, 128, 124), 0.3)
    sheet.box(x + 0.012, 0.155, 0.085, 0.345, (150, 160, 154), 0.3)
    sheet.box(x + 0.103, 0.155, 0.085, 0.345, (150, 160, 154), 0.3)
    sheet.box(x + 0.03, 0.075, 0.14, 0.05, (70, 84, 76) if is_bad else (40, 176, 100), 0.3)
    sheet.area([(x + 0.05, 0.1), (x + 0.08, 0.085), (x + 0.08, 0.095), (x + 0.15, 0.095), (x + 0.15, 0.105), (x + 0.08, 0.105),
                (x + 0.08, 0.115)], _WHITE, 0.3)  # fmt: skip
    for side in (-1, 1):
        sheet.line([(x + 0.1 + side * 0.12, 0.5), (x + 0.1 + side * 0.34, 0.9)], _YELLOW, 0.012, 0.6)
    if is_bad:
        _crates(sheet, random, x - 0.1, 0.52, 6)
        sheet.block(x + 0.16, 0.46, 0.1, 0.16, random.choice(_MACHINES), 0.75)
    return [(x - 0.1, 0.36), (x + 0.3, 0.66)]


def _gauges(sheet: _Sheet, random: Random, is_bad: bool) -> Sequence[Point]:
    """Pipes with pressure gauges and a valve; one of them past its mark and leaking, or all in the green."""
    y = random.uniform(0.4, 0.46)
    colour = random.choice((_BLUE, _GREEN, _STEEL, _YELLOW))
    for n in range(2):
        sheet.line([(-0.3, y + n * 0.12), (1.3, y + n * 0.12)], _lit(colour, 0.9 + 0.15 * n), 0.045, 0.5)
        sheet.line([(-0.3, y - 0.012 + n * 0.12), (1.3, y - 0.012 + n * 0.12)], _lit(colour, 1.25), 0.008, 0.5)
    first = random.uniform(0.2, 0.3)
    for n in range(3):
        x = first + n * random.uniform(0.19, 0.22)
        sheet.box(x - 0.012, y - 0.12, 0.024, 0.12, _STEEL, 0.55)
        sheet.box(x - 0.05, y - 0.035, 0.018, 0.07, _lit(colour, 0.7), 0.55)
        sheet.disc(x, y - 0.17, 0.075, _DARK, 0.6)
        sheet.disc(x, y - 0.17, 0.066, _WHITE, 0.6)
        for k in range(11):
            a = math.radians(135 + k * 27)
            mark = _RED if k > 8 else _DARK
            sheet.line([(x + 0.05 * math.cos(a), y - 0.17 + 0.05 * math.sin(a)),
                        (x + 0.062 * math.cos(a), y - 0.17 + 0.062 * math.sin(a))], mark, 0.004, 0.6)  # fmt: skip
        full = random.uniform(0.92, 1.0) if is_bad and n == 1 else random.uniform(0.3, 0.6)
        a = math.radians(135 + 270 * full)
        sheet.line([(x, y - 0.17), (x + 0.05 * math.cos(a), y - 0.17 + 0.05 * math.sin(a))], _RED, 0.005, 0.6)
        sheet.disc(x, y - 0.17, 0.008, _DARK, 0.6)
    x = first + 0.3
    sheet.box(x - 0.008, y + 0.02, 0.016, 0.08, _STEEL, 0.6)
    for k in range(4):
        a = k * math.pi / 4 + random.uniform(0, 0.7)
        sheet.line([(x - 0.05 * math.cos(a), y + 0.12 - 0.05 * math.sin(a)), (x + 0.05 * math.cos(a), y + 0.12 + 0.05 * math.sin(a))],
                   _RED, 0.008, 0.65)  # fmt: skip
    if is_bad:
        for _n in range(14):
            drop = (first + 0.2 + random.uniform(-0.06, 0.06), y + random.uniform(0.16, 0.34))
            sheet.disc(*drop, random.uniform(0.004, 0.01), (150, 176, 190), 0.6)
        sheet.area([(first + 0.06, y + 0.33), (first + 0.34, y + 0.31), (first + 0.38, y + 0.37), (first + 0.1, y + 0.4)],
                   (110, 128, 138), 0.6)  # fmt: skip
    return [(first + 0.08, y - 0.27), (first + 0.32, y + 0.06)]


def _guard(sheet: _Sheet, random: Random, is_bad: bool) -> Sequence[Point]:
    """Two wheels and a belt; open, or behind a yellow grating."""
    x, y = random.uniform(0.3, 0.36), random.uniform(0.32, 0.38)
    body = random.choice(_MACHINES)
    sheet.block(x - 0.14, y + 0.06, 0.56, 0.24, body, 0.5)
    sheet.line([(x, y - 0.08), (x + 0.3, y - 0.05)], _DARK, 0.014, 0.6)
    sheet.line([(x, y + 0.08), (x + 0.3, y + 0.05)], _DARK, 0.014, 0.6)
    for left, r in ((x, 0.085), (x + 0.3, 0.055)):
        sheet.disc(left, y, r, _lit(_STEEL, 0.8), 0.6)
        sheet.disc(left, y, r * 0.75, _STEEL, 0.6)
        for k in range(5):
            a = k * 1.2566 + random.uniform(0, 0.4)
            sheet.line([(left, y), (left + r * 0.7 * math.cos(a), y + r * 0.7 * math.sin(a))], _DARK, 0.006, 0.6)
        sheet.disc(left, y, r * 0.2, _DARK, 0.6)
    if not is_bad:
        for n in range(12):
            sheet.line([(x - 0.12 + n * 0.045, y - 0.13), (x - 0.12 + n * 0.045, y + 0.13)], _YELLOW, 0.007, 0.75)
        for up in (-0.13, 0.0, 0.13):
            sheet.line([(x - 0.12, y + up), (x + 0.375, y + up)], _YELLOW, 0.01, 0.75)
    _triangle(sheet, x + 0.1, y + 0.19, 0.045, 0.6)
    return [(x - 0.11, y - 0.12), (x + 0.38, y + 0.11)]


def _railing(sheet: _Sheet, random: Random, is_bad: bool) -> Sequence[Point]:
    """A platform's edge with a railing: whole, or with a piece missing."""
    y = random.uniform(0.44, 0.5)
    sheet.area([(-0.3, y), (1.3, y - 0.03), (1.3, y + 0.04), (-0.3, y + 0.07)], (88, 92, 96), 0.6)
    sheet.area([(-0.3, y + 0.07), (1.3, y + 0.04), (1.3, y + 0.6), (-0.3, y + 0.6)], (58, 60, 62), 0.7)
    for n in range(16):
        sheet.line([(-0.2 + n * 0.1, y + 0.068), (-0.22 + n * 0.1, y + 0.6)], (72, 74, 76), 0.004, 0.7)
    hole = random.randint(3, 4)
    for n in range(9):
        x = -0.05 + n * 0.14
        sheet.line([(x, y - 0.004 * n), (x, y - 0.22 - 0.004 * n)], _YELLOW, 0.011, 0.65)
        if is_bad and n in (hole, hole + 1):
            continue
        for k in (0.08, 0.15, 0.22):
            sheet.line([(x, y - k - 0.004 * n), (x + 0.14, y - k - 0.004 * n - 0.004)], _YELLOW, 0.009, 0.65)
    if is_bad:
        x = -0.05 + hole * 0.14
        sheet.line([(x + 0.02, y - 0.01), (x + 0.2, y + 0.12)], _YELLOW, 0.009, 0.75)
    return [(-0.06 + hole * 0.14, y - 0.27), (0.24 + hole * 0.14, y + 0.04)]


def _workshop(sheet: _Sheet, random: Random, is_bad: bool) -> Sequence[Point]:
    """A row of machines along a way; drums stand about, or in their tray."""
    for n in range(random.randint(3, 5)):
        x, h, colour = -0.05 + n * random.uniform(0.22, 0.27), random.uniform(0.18, 0.28), random.choice(_MACHINES)
        sheet.block(x, 0.52 - h, 0.17, h, colour, 0.45)
        sheet.box(x + 0.02, 0.54 - h, 0.07, 0.06, _lit(colour, 0.5), 0.45)
        sheet.disc(x + 0.13, 0.56 - h, 0.012, random.choice((_RED, _GREEN, _YELLOW)), 0.45)
        sheet.box(x + 0.02, 0.43, 0.12, 0.03, _lit(colour, 1.3), 0.45)
    sheet.line([(-0.2, 0.6), (1.2, 0.56)], _YELLOW, 0.012, 0.6)
    x, y = random.uniform(0.28, 0.5), 0.5
    if not is_bad:
        sheet.block(x - 0.03, y + 0.17, 0.36, 0.04, _BLUE, 0.75)
    for n in range(3):
        left = x + n * 0.1 + (random.uniform(-0.04, 0.04) if is_bad else 0)
        top = y + (random.uniform(-0.05, 0.06) if is_bad else 0)
        colour = random.choice((_BLUE, _GREEN, (150, 84, 44)))
        sheet.box(left, top, 0.085, 0.16, colour, 0.8)
        sheet.disc(left + 0.0425, top, 0.0425, _lit(colour, 1.2), 0.8)
        for k in (0.05, 0.11):
            sheet.line([(left, top + k), (left + 0.085, top + k)], _lit(colour, 0.7), 0.004, 0.8)
    if is_bad:
        sheet.area([(x, y + 0.2), (x + 0.3, y + 0.17), (x + 0.36, y + 0.22), (x + 0.08, y + 0.25)], (60, 58, 52), 0.75)
    return [(x - 0.06, y - 0.1), (x + 0.36, y + 0.2)]


def _triangle(sheet: _Sheet, x: float, y: float, size: float, near: float) -> None:
    """A warning sign."""
    sheet.area([(x, y - size), (x + size * 1.05, y + size * 0.8), (x - size * 1.05, y + size * 0.8)], _DARK, near)
    sheet.area(
        [(x, y - size * 0.78), (x + size * 0.84, y + size * 0.68), (x - size * 0.84, y + size * 0.68)], _YELLOW, near
    )
    sheet.area([(x + size * 0.1, y - size * 0.4), (x - size * 0.25, y + size * 0.2), (x, y + size * 0.15),
                (x - size * 0.12, y + size * 0.55), (x + size * 0.28, y), (x, y + size * 0.04)], _DARK, near)  # fmt: skip


_DRAWN: dict[str, Callable[[_Sheet, Random, bool], Sequence[Point]]] = {
    "cabinet": _cabinet, "extinguisher": _extinguishers, "passage": _passage, "gauges": _gauges, "guard": _guard,
    "railing": _railing, "workshop": _workshop,
}  # fmt: skip
KINDS = tuple(_DRAWN)
_WORDS = {
    "cabinet": ("电", "静电", "照明"), "extinguisher": ("灭火", "消防", "油"), "passage": ("通道", "出口", "堆", "储存", "定员"),
    "gauges": ("报警", "水", "阀", "压", "罐", "检测", "气"), "guard": ("防护", "机", "车", "罩"), "railing": ("栏杆", "高处", "临边", "脚手架", "边坡", "安全网"),
}  # fmt: skip


def kind_for(description: str, random: Random) -> str:
    """The scene that comes nearest to what a hazard says."""
    return next(
        (kind for kind, words in _WORDS.items() if any(each in description for each in words)), random.choice(KINDS)
    )


def draw(scene: Scene) -> tuple[Image.Image, list[list[float]]]:
    """The picture, and two corners around what it is about, in parts of its width and height."""
    view = stream(scene.seed, "view", scene.kind, scene.place, scene.is_bad, scene.view)
    sheet = _Sheet(view)
    place = stream(scene.seed, "place", scene.kind, scene.place)
    _room(sheet, place)
    corners = [sheet.place_of(each, 0.6) for each in _DRAWN[scene.kind](sheet, place, scene.is_bad)]
    return _photographed(sheet.image.resize((WIDTH, HEIGHT), Image.Resampling.BOX), view), corners


def _photographed(image: Image.Image, random: Random) -> Image.Image:
    """Uneven light, the grain of walls and floors, the noise of a sensor."""
    noise = np.random.Generator(np.random.PCG64(random.getrandbits(64)))
    light = ImageChops.add(_cloud(noise, (3, 4), 62, 9), _cloud(noise, (75, 100), 64, 5)).convert("RGB")
    pixels = np.asarray(ImageChops.overlay(image, light), dtype=np.int16)
    pixels = pixels + noise.integers(-5, 6, (HEIGHT, WIDTH, 1), dtype=np.int16)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _cloud(noise: np.random.Generator, shape: tuple[int, int], mean: float, spread: float) -> Image.Image:
    values = np.clip(noise.normal(mean, spread, shape), 0, 255).astype(np.uint8)
    return Image.fromarray(values).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def photograph(image: Image.Image, at: datetime | None = None, quality: int = 84) -> bytes:
    """The file a camera would make; without `at` it tells neither time nor device."""
    exif = Image.Exif()
    if at is not None:
        exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = DEVICE
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        inner[ExifTags.Base.DateTimeOriginal] = at.astimezone(BEIJING).strftime("%Y:%m:%d %H:%M:%S")
        inner[ExifTags.Base.OffsetTimeOriginal] = "+08:00"
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, exif=exif)
    return file.getvalue()


def used_again(image: Image.Image, how: str) -> Image.Image:
    """What people do to a photograph to use it once more."""
    w, h = image.size
    if how == "cropped":
        return image.crop((int(w * 0.05), int(h * 0.04), int(w * 0.96), int(h * 0.95)))
    if how == "smaller":
        return image.resize((w * 2 // 3, h * 2 // 3), Image.Resampling.LANCZOS)
    if how == "brighter":
        return image.point(lambda value: min(255, int(value * 1.18 + 6)))
    if how == "mirrored":
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image
