"""Images that no camera makes: line art, a zone plate, text, a screenshot, logos and a drawing.

They show errors that photos hide: moire and ghost lines of a coarse reduction, and PNG compression that suits only
photos.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

LINE_ART_PX = 1600
_SCALE = 2  # line art is drawn so many times larger and then averaged, for smooth edges

INK, PAPER = 20, 250
TEXT = (
    "Thumbnails are made of photos, but people also upload scanned letters, receipts, tables and slides. "
    "Thin strokes at regular distances are the hardest part: what a filter does not remove comes back as a pattern. "
)


def line_art() -> Image.Image:
    """Return an engraving: circles, a fan of lines and hatching, 2 px wide at distances of 5 to 12 px."""
    side = LINE_ART_PX * _SCALE
    half, width = side // 2, 2 * _SCALE
    sheet = Image.new("L", (side, side), PAPER)
    draw = ImageDraw.Draw(sheet)
    for radius in range(20, half, 7 * _SCALE):
        box = (half // 2 - radius // 2, half // 2 - radius // 2, half // 2 + radius // 2, half // 2 + radius // 2)
        draw.ellipse(box, outline=INK, width=width)
    for degree in np.arange(0, 90, 0.75):
        x, y = np.cos(np.radians(degree)) * half, np.sin(np.radians(degree)) * half
        draw.line((half + 20, 20, half + 20 + int(x * 0.95), 20 + int(y * 0.95)), fill=INK, width=width)
    for number, offset in enumerate(range(0, half, 5 * _SCALE)):
        lean = number * _SCALE // 2
        draw.line((offset, half + 20, min(half, offset + lean), side - 20), fill=INK, width=width)
    for offset in range(0, half, 12 * _SCALE):
        draw.line((half + 40, half + 40 + offset, side - 20, half + 40 + offset), fill=INK, width=width)
        draw.line((half + 40 + offset, half + 40, half + 40 + offset, side - 20), fill=INK, width=width)
    return sheet.reduce(_SCALE)


def zone_plate() -> Image.Image:
    """Return rings that become finer outwards, up to one of 2 px: every frequency in every direction."""
    x = np.arange(LINE_ART_PX) - (LINE_ART_PX - 1) / 2
    squared = x[:, None] ** 2 + x[None, :] ** 2
    return Image.fromarray(np.round(127.5 + 127.5 * np.cos(np.pi * squared / LINE_ART_PX)).astype(np.uint8), "L")


def text_page() -> Image.Image:
    """Return a page of letter size at 200 dpi, as a scanner's or a PDF viewer's program saves it."""
    page = Image.new("L", (1700, 2200), 255)
    draw = ImageDraw.Draw(page)
    draw.text((150, 130), "A page of text", INK, ImageFont.load_default(64))
    _paragraphs(draw, (150, 240, 1550, 2080), 28, INK)
    return page


def screenshot(photo: Image.Image) -> Image.Image:
    """Return a desktop of 2560 x 1440 px with two windows, text in colours, buttons and a photo."""
    random = np.random.default_rng(3)
    shades = np.linspace((30, 60, 110), (110, 70, 130), 1440)
    desktop = Image.fromarray(np.repeat(np.round(shades).astype(np.uint8)[:, None], 2560, axis=1), "RGB")
    draw = ImageDraw.Draw(desktop)
    draw.rounded_rectangle((80, 90, 1560, 1350), 16, fill=(30, 30, 34), outline=(70, 70, 76))
    for line in range(48):
        x = 150 + 40 * int(random.integers(0, 4))
        draw.text((100, 140 + 25 * line), f"{line + 1}", (110, 110, 120), ImageFont.load_default(16))
        for word in TEXT.split()[line % 9 : line % 9 + int(random.integers(2, 9))]:
            colour = ((220, 220, 170), (86, 156, 214), (206, 145, 120), (212, 212, 212))[int(random.integers(0, 4))]
            draw.text((x, 138 + 25 * line), word, colour, ImageFont.load_default(18))
            x += int(draw.textlength(f"{word} ", ImageFont.load_default(18)))
    draw.rounded_rectangle((1480, 240, 2480, 1390), 16, fill=(252, 252, 252), outline=(180, 180, 180))
    desktop.paste(photo.resize((640, 480)), (1520, 300))
    _paragraphs(draw, (1520, 820, 2440, 1280), 20, (40, 40, 40))
    for number, label in enumerate(("Cancel", "Apply", "Share")):
        left = 1980 + 160 * number
        draw.rounded_rectangle((left, 1310, left + 140, 1356), 10, fill=(0, 110, 220) if number else (225, 225, 228))
        draw.text((left + 36, 1322), label, (255, 255, 255) if number else INK, ImageFont.load_default(20))
    return desktop


def _paragraphs(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], size: int, colour: int | tuple[int, int, int]
) -> None:
    """Fill the box with text."""
    font, words = ImageFont.load_default(size), TEXT.split()
    left, y, right, bottom = box
    x = left
    for number in np.random.default_rng(4).integers(0, len(words), 10_000):
        word = words[number]
        if x + draw.textlength(word, font) > right:
            x, y = left, y + int(1.45 * size)
        if y + size > bottom:
            return
        draw.text((x, y), word, colour, font)
        x += int(draw.textlength(f"{word} ", font))


def logo() -> Image.Image:
    """Return a badge in two flat colours with a wordmark and a soft shadow, on nothing."""
    badge = Image.new("RGBA", (2000, 1500))
    draw = ImageDraw.Draw(badge)
    draw.rounded_rectangle((250, 200, 1750, 1200), 180, fill=(24, 90, 190, 255))
    draw.ellipse((360, 330, 1000, 970), fill=(250, 190, 40, 255))
    draw.regular_polygon((680, 650, 230), 6, fill=(24, 90, 190, 255))
    draw.text((1060, 520), "imgpipe", (255, 255, 255, 255), ImageFont.load_default(170))
    return _with_shadow(badge, blur=40, shift=30)


def glowing_logo() -> Image.Image:
    """Return a wordmark with two rings in a wide glow that fades to nothing."""
    mark = Image.new("RGBA", (1800, 900))
    draw = ImageDraw.Draw(mark)
    for left, colour in ((300, (230, 60, 40, 255)), (480, (40, 60, 70, 255))):
        draw.ellipse((left, 280, left + 340, 620), outline=colour, width=60)
    draw.text((900, 340), "imgpipe", (40, 60, 70, 255), ImageFont.load_default(190))
    return _with_shadow(mark, blur=90, shift=0)


def glossy_logo() -> Image.Image:
    """Return three discs with a gradient each, half transparent where they meet, and a soft shadow."""
    discs = Image.new("RGBA", (1600, 1600))
    gradient = Image.radial_gradient("L").resize((900, 900))
    for left, top, dark, bright in (
        (100, 150, (190, 20, 60), (255, 150, 120)),
        (600, 150, (20, 120, 60), (170, 240, 130)),
        (350, 600, (20, 60, 160), (120, 190, 255)),
    ):
        disc = Image.composite(Image.new("RGB", (900, 900), dark), Image.new("RGB", (900, 900), bright), gradient)
        mask = Image.new("L", (1800, 1800))
        ImageDraw.Draw(mask).ellipse((8, 8, 1792, 1792), fill=215)
        disc.putalpha(mask.reduce(2))
        discs.alpha_composite(disc, (left, top))
    return _with_shadow(discs, blur=25, shift=20)


def _with_shadow(image: Image.Image, *, blur: int, shift: int) -> Image.Image:
    alpha = image.getchannel("A").filter(ImageFilter.GaussianBlur(blur)).point(lambda value: value * 0.6)
    shifted = Image.new("L", image.size)
    shifted.paste(alpha, (shift, shift))
    shadow = Image.new("RGBA", image.size)
    shadow.putalpha(shifted)
    shadow.alpha_composite(image)
    return shadow


def drawing() -> Image.Image:
    """Return shapes with smooth edges on nothing, some half transparent, as an illustrator's program exports them."""
    random = np.random.default_rng(2)
    sheet = Image.new("RGBA", (4096, 3072))
    for _ in range(60):
        shape = Image.new("RGBA", sheet.size)
        x, y = (int(value) for value in random.integers(0, sheet.size))
        radius = int(random.integers(60, 500))
        colour = (*(int(value) for value in random.integers(0, 256, 3)), int(random.choice((128, 255))))
        draw = ImageDraw.Draw(shape)
        if random.integers(0, 2):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour, outline="black", width=12)
        else:
            draw.regular_polygon((x, y, radius), int(random.integers(3, 9)), fill=colour, outline="black", width=12)
        sheet.alpha_composite(shape)
    return sheet.convert("RGBa").reduce(2).convert("RGBA")
