"""Photos that nobody took: workshops drawn by number, as many as are wanted, and what people do to photos.

A scene has a lit wall and floor, and machines, pipes, boards and boxes at different distances. A camera stands
somewhere before it: two photos of one scene from two places differ as real ones do, near things shifting more than
far ones, with another exposure and other noise. Scenes share their machine models, boards and colours, so different
workshops look alike. `changed` makes what a copy goes through; each way is named in CHANGES.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

WIDTH, HEIGHT = 1200, 900
_WORDS = ("SAFETY 7", "DANGER", "NO ENTRY", "FURNACE 2", "LINE A", "380 V", "PRESS 04", "EXIT", "CRANE 10T", "OIL")
_COLOURS = ((96, 125, 139), (70, 90, 120), (180, 140, 40), (150, 60, 50), (80, 110, 80), (200, 200, 195), (60, 60, 66))


@dataclass(frozen=True)
class Camera:
    """Where it stands: moved aside and up by parts of the picture, nearer or farther, and its exposure."""

    dx: float = 0.0
    dy: float = 0.0
    zoom: float = 1.0
    light: float = 1.0
    noise: int = 0


def _texture(random: np.random.Generator, width: int, height: int, grain: float) -> Image.Image:
    """Stains and rust: noise of several sizes."""
    total = np.zeros((height, width), dtype=np.float32)
    for size, weight in ((64, 1.0), (24, 0.6), (8, 0.35)):
        coarse = random.normal(0, 1, (height // size + 2, width // size + 2)).astype(np.float32)
        total += weight * np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return Image.fromarray(np.clip(128 + grain * total, 0, 255).astype(np.uint8))


def scene(seed: int, camera: Camera | None = None) -> Image.Image:
    """The photo a camera takes of scene number `seed`."""
    camera = camera or Camera(noise=seed)
    random = np.random.default_rng(seed)
    wall = np.array(_COLOURS[random.integers(len(_COLOURS))], dtype=np.float32) * 0.5 + 110
    horizon = random.uniform(0.45, 0.7)
    middle_x, middle_y = random.uniform(0.1, 0.9), random.uniform(0.0, 0.5)

    def place(x: float, y: float, depth: float) -> tuple[float, float]:
        """A point of the scene on the picture; the nearer it is (depth towards 1), the more it shifts."""
        by = 1 + (camera.zoom - 1) * (0.5 + depth)
        return (
            ((x - 0.5) * by + 0.5 - camera.dx * (0.4 + depth)) * WIDTH,
            ((y - 0.5) * by + 0.5 - camera.dy * (0.4 + depth)) * HEIGHT,
        )

    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    ox, oy = place(middle_x, middle_y, 0.0)
    glow = np.exp(-(((xx - ox) / WIDTH) ** 2 + ((yy - oy) / HEIGHT) ** 2) * 2.2)
    base = wall[None, None, :] * (0.55 + 0.6 * glow[:, :, None])
    picture = Image.fromarray(np.clip(base, 0, 255).astype(np.uint8))
    stains = _texture(random, WIDTH + 200, HEIGHT + 200, random.uniform(6, 16))
    sx, sy = place(0, 0, 0.05)
    layer = stains.crop((int(100 - sx), int(100 - sy), int(100 - sx) + WIDTH, int(100 - sy) + HEIGHT))
    picture = Image.fromarray(
        np.clip(
            np.asarray(picture, dtype=np.int16) + (np.asarray(layer, dtype=np.int16) - 128)[:, :, None], 0, 255
        ).astype(np.uint8)
    )
    draw = ImageDraw.Draw(picture)
    _left, floor = place(0, horizon, 0.3)
    grey = int(random.uniform(70, 120))
    draw.rectangle((0, floor, WIDTH, HEIGHT), fill=(grey, grey, grey + 4))
    for i in range(12):
        x0, _y = place(i / 11, horizon, 0.3)
        x1, _y = place((i / 11 - 0.5) * 3 + 0.5, 1.4, 1.0)
        draw.line((x0, floor, x1, HEIGHT * 1.4), fill=(grey - 22,) * 3, width=3)
    things = sorted(
        (
            (random.uniform(0, 1), int(random.integers(6)), random.uniform(0.02, 0.92), random.uniform(0.1, 0.35))
            for _ in range(int(random.integers(7, 13)))
        ),
    )
    for depth, model, x, size in things:
        own = np.random.default_rng(int(random.integers(1 << 30)))
        y = horizon + (1 - horizon) * depth * 0.9
        _thing(picture, draw, own, model, place(x, y, depth), size * (0.5 + depth) * WIDTH * camera.zoom)
    return _exposed(picture, camera)


def _thing(
    picture: Image.Image,
    draw: ImageDraw.ImageDraw,
    random: np.random.Generator,
    model: int,
    at: tuple[float, float],
    size: float,
) -> None:
    """A machine, tank, pipe run, board, stack of boxes or cabinet, its foot at a point of the picture."""
    x, y = at
    colour = _COLOURS[random.integers(len(_COLOURS))]
    dark = tuple(int(c * 0.55) for c in colour)
    light = tuple(min(255, int(c * 1.35)) for c in colour)
    w, h = size, size * random.uniform(0.6, 1.2)
    if model == 0:  # a press: body, head, wheel, panel
        draw.rectangle((x, y - h, x + w, y), fill=colour, outline=dark, width=3)
        draw.rectangle((x + w * 0.1, y - h * 1.25, x + w * 0.9, y - h * 0.95), fill=light, outline=dark, width=3)
        draw.ellipse((x + w * 0.3, y - h * 0.8, x + w * 0.7, y - h * 0.8 + w * 0.4), fill=dark, outline=light, width=4)
        for i in range(int(random.integers(3, 7))):
            draw.ellipse(
                (x + w * (0.1 + 0.12 * i), y - h * 0.18, x + w * (0.16 + 0.12 * i), y - h * 0.18 + w * 0.06),
                fill=_COLOURS[random.integers(7)],
            )
    elif model == 1:  # a tank with bands
        draw.rounded_rectangle(
            (x, y - h * 1.4, x + w * 0.7, y), radius=max(1, int(w * 0.3)), fill=light, outline=dark, width=3
        )
        for i in range(1, int(random.integers(3, 6))):
            draw.line((x, y - h * 0.25 * i, x + w * 0.7, y - h * 0.25 * i), fill=dark, width=5)
    elif model == 2:  # pipes
        for i in range(int(random.integers(3, 7))):
            px = x + w * 0.16 * i
            draw.line((px, y - h * 2, px, y - h * 0.4), fill=colour, width=max(3, int(w * 0.07)))
            draw.line(
                (px, y - h * (0.5 + 0.2 * i), px + w, y - h * (0.5 + 0.2 * i)), fill=light, width=max(3, int(w * 0.05))
            )
    elif model == 3:  # a board with words
        top = y - h * 1.5
        draw.rectangle((x, top, x + w, top + w * 0.4), fill=(240, 236, 220), outline=(170, 30, 30), width=6)
        font = ImageFont.load_default(size=max(10, int(w * 0.15)))
        draw.text((x + w * 0.08, top + w * 0.1), _WORDS[random.integers(len(_WORDS))], fill=(30, 30, 30), font=font)
    elif model == 4:  # boxes on each other
        for i in range(int(random.integers(3, 8))):
            bx, by = x + w * 0.33 * (i % 3) + random.uniform(-6, 6), y - h * 0.3 * (i // 3)
            shade = random.uniform(0.7, 1.2)
            draw.rectangle(
                (bx, by - h * 0.28, bx + w * 0.3, by),
                fill=tuple(min(255, int(c * shade)) for c in (170, 130, 85)),
                outline=(90, 65, 40),
                width=2,
            )
            draw.line((bx + w * 0.15, by - h * 0.28, bx + w * 0.15, by), fill=(210, 190, 150), width=4)
    else:  # a cabinet with lamps and a grille
        draw.rectangle((x, y - h * 1.6, x + w * 0.5, y), fill=light, outline=dark, width=4)
        for i in range(10):
            draw.line(
                (x + w * 0.06, y - h * 0.1 - i * h * 0.05, x + w * 0.44, y - h * 0.1 - i * h * 0.05), fill=dark, width=2
            )
        for i in range(int(random.integers(2, 5))):
            draw.ellipse(
                (x + w * 0.1 * (i + 0.5), y - h * 1.4, x + w * (0.1 * i + 0.1), y - h * 1.4 + w * 0.06),
                fill=((200, 40, 40), (40, 160, 60), (230, 180, 40))[i % 3],
            )
    if random.uniform() < 0.6:  # rust
        box = (int(x), int(y - h), int(x + w), int(y))
        if (
            box[2] - box[0] > 20
            and box[3] - box[1] > 20
            and box[0] >= 0
            and box[1] >= 0
            and box[2] < WIDTH
            and box[3] < HEIGHT
        ):
            stain = _texture(random, box[2] - box[0], box[3] - box[1], 22)
            part = np.asarray(picture.crop(box), dtype=np.int16) + (np.asarray(stain, dtype=np.int16) - 128)[:, :, None]
            picture.paste(Image.fromarray(np.clip(part, 0, 255).astype(np.uint8)), box)


def _exposed(picture: Image.Image, camera: Camera) -> Image.Image:
    """What the lens and the sensor add."""
    random = np.random.default_rng(camera.noise + 7_000_000)
    soft = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.6, 1.2)))
    noisy = np.asarray(soft, dtype=np.float32) * camera.light + random.normal(0, 5, (HEIGHT, WIDTH, 1))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def second_shot(seed: int, number: int) -> Image.Image:
    """Another honest photo of the same scene: a step aside, another moment's light and noise."""
    random = np.random.default_rng((seed, number))
    angle = random.uniform(0, 2 * math.pi)
    far = random.uniform(0.02, 0.08)
    return scene(
        seed,
        Camera(
            far * math.cos(angle),
            far * math.sin(angle) * 0.6,
            random.uniform(0.94, 1.07),
            random.uniform(0.85, 1.15),
            noise=seed * 31 + number,
        ),
    )


def as_jpeg(picture: Image.Image, quality: int = 92) -> bytes:
    made = io.BytesIO()
    picture.save(made, "JPEG", quality=quality)
    return made.getvalue()


def _again(picture: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(as_jpeg(picture, quality))).convert("RGB")


def _cut(picture: Image.Image, random: np.random.Generator, part: float) -> Image.Image:
    """A rectangle that keeps 1 - part of width and height, anywhere in the picture."""
    w, h = picture.size
    left, top = random.uniform(0, part) * w, random.uniform(0, part) * h
    return picture.crop((int(left), int(top), int(left + w * (1 - part)), int(top + h * (1 - part))))


def _watermark(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Time and place as camera apps print them, and a half-transparent word across."""
    made = picture.copy()
    draw = ImageDraw.Draw(made, "RGBA")
    w, h = made.size
    font = ImageFont.load_default(size=int(h * 0.04))
    draw.rectangle((0, int(h * 0.84), int(w * 0.6), h), fill=(0, 0, 0, 110))
    for i, words in enumerate(("2026-11-23 10:00", "117.12 E  36.65 N", "On site")):
        draw.text((w * 0.02, h * (0.85 + 0.045 * i)), words, fill=(255, 255, 255, 255), font=font)
    draw.text(
        (w * random.uniform(0.2, 0.5), h * random.uniform(0.3, 0.5)),
        "COPY 88",
        fill=(255, 255, 255, 90),
        font=ImageFont.load_default(size=int(h * 0.12)),
    )
    return made


def _screenshot(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """The photo on a phone's screen: black above and below, a status line, some buttons; taken again as PNG."""
    w = 1080
    inner = picture.resize((w, round(w * picture.height / picture.width)), Image.Resampling.BILINEAR)
    whole = Image.new(
        "RGB", (w, random.choice([1920, 2160, 2340])), (0, 0, 0) if random.uniform() < 0.7 else (245, 245, 245)
    )
    top = (whole.height - inner.height) // 2
    whole.paste(inner, (0, top))
    draw = ImageDraw.Draw(whole)
    font = ImageFont.load_default(size=36)
    draw.text((40, 24), f"{random.integers(8, 20)}:{random.integers(10, 59)}", fill=(128, 128, 128), font=font)
    for i in range(4):
        draw.ellipse(
            (120 + i * 240, whole.height - 150, 190 + i * 240, whole.height - 80), outline=(128, 128, 128), width=5
        )
    return whole


def _lighter(picture: Image.Image, by: float) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(by)


Change = Callable[[Image.Image, np.random.Generator], Image.Image]
CHANGES: dict[str, Change] = {
    "saved anew at quality 40": lambda p, r: _again(p, 40),
    "resized to a third": lambda p, r: _again(p.resize((p.width // 3, p.height // 3), Image.Resampling.BICUBIC), 80),
    "cut by 10 %": lambda p, r: _again(_cut(p, r, 0.10), 85),
    "cut by 20 %": lambda p, r: _again(_cut(p, r, 0.20), 85),
    "lighter by 30 %": lambda p, r: _again(_lighter(p, 1.3), 85),
    "darker by 30 %": lambda p, r: _again(_lighter(p, 0.7), 85),
    "watermark": lambda p, r: _again(_watermark(p, r), 85),
    "screenshot with borders": _screenshot,
    "cut, darker, saved anew": lambda p, r: _again(_lighter(_cut(p, r, 0.10), 0.85), 60),
    "mirrored": lambda p, r: _again(ImageOps.mirror(p), 85),
}
