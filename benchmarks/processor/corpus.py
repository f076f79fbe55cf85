"""The measured images: photographs of Pillow's source distribution, files made of them, and graphics.

A file that no camera or scanner wrote is called derived. It is made again on each machine, always in the same way.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, MpoImagePlugin, PngImagePlugin

from benchmarks.processor import graphics

PILLOW = "13.0.0"
GRAPHICS_CHUNK_BYTES = 2**21
GRAIN = 3.0  # standard deviation, of 255 steps: a phone's, in daylight
EDITION = "2"  # of the derived files; another number makes them again

# In Tests/images of Pillow's source distribution: a stereo camera's file (two frames of 10 MP, JPEG 4:2:2), and a
# photograph in Adobe RGB (2 MP, JPEG 4:4:4).
STEREO = "fujifilm.mpo"
ADOBE_RGB = "xmp_test.jpg"

JPEG = "jpeg"
PNG_RGB = "png-rgb"
PNG_RGBA = "png-rgba"
WEBP = "webp"
AVIF = "avif"
GRAPHICS = "graphics"  # PNGs without alpha whose thumbnails are PNGs
GRAPHICS_TO_JPEG = "graphics-to-jpeg"  # the same, whose thumbnails have the default format
LOGOS = "logos"  # PNGs with alpha
KINDS = (JPEG, PNG_RGB, PNG_RGBA, WEBP, AVIF, GRAPHICS, GRAPHICS_TO_JPEG, LOGOS)


@dataclass(frozen=True)
class Source:
    """An image of the corpus.

    Attributes: is_derived: True if the benchmark made it; False for a camera's own file. is_progressive: True for a
    JPEG of several scans. has_profile: True if a profile defines its colours.
    """

    name: str
    kind: str
    path: Path
    width: int
    height: int
    is_derived: bool
    is_progressive: bool
    has_profile: bool

    @property
    def becomes_png(self) -> bool:
        """Return True if its thumbnails are PNGs."""
        return self.kind in {PNG_RGBA, GRAPHICS, LOGOS}

    @property
    def megapixels(self) -> float:
        """Return the millions of pixels."""
        return self.width * self.height / 1e6


def make_corpus(work: Path) -> list[Source]:
    """Return all images, made in `work` unless an earlier run has made them.

    Raises:
        RuntimeError: Pillow's source distribution could not be downloaded.
    """
    folder = work / f"corpus-{EDITION}"
    folder.mkdir(parents=True, exist_ok=True)
    originals = _Originals(folder / "originals", work)
    sources = []
    for name, (kind, make) in _RECIPES.items():
        path = folder / f"{name}.{_EXTENSIONS.get(kind, 'png')}"
        if not path.exists():
            content = make(originals)
            partial = path.with_suffix(".partial")
            partial.write_bytes(content)
            partial.replace(path)
        sources.append(_source(name, kind, path, is_derived=name not in _REAL))
    return sources


def user_photos(folder: Path) -> list[Source]:
    """Return further images of the user, of the measured formats."""
    sources = []
    for path in sorted(folder.iterdir()):
        with Image.open(path) as image:
            kind = {"JPEG": JPEG, "MPO": JPEG, "WEBP": WEBP, "AVIF": AVIF}.get(image.format or "")
            if image.format == "PNG":
                kind = PNG_RGBA if image.has_transparency_data else PNG_RGB
        if kind:
            sources.append(_source(path.stem, kind, path, is_derived=False))
    return sources


def _source(name: str, kind: str, path: Path, *, is_derived: bool) -> Source:
    with Image.open(path) as image:
        info = image.info
        return Source(name, kind, path, *image.size, is_derived, "progressive" in info, "icc_profile" in info)


class _Originals:
    """Pillow's test images, downloaded on first use."""

    def __init__(self, folder: Path, work: Path) -> None:
        self._folder = folder
        self._work = work

    def data(self, name: str) -> bytes:
        """Return a file of Tests/images."""
        path = self._folder / name
        if not path.exists():
            self._fetch()
        return path.read_bytes()

    def photo(self, number: int) -> Image.Image:
        """Return the pixels of a frame."""
        with MpoImagePlugin.MpoImageFile(io.BytesIO(self.data(STEREO))) as image:
            image.seek(number)
            return image.convert("RGB")

    def wide_gamut(self) -> Image.Image:
        """Return the pixels of the photograph in Adobe RGB, with its profile."""
        return Image.open(io.BytesIO(self.data(ADOBE_RGB)))

    def _fetch(self) -> None:
        with tempfile.TemporaryDirectory(dir=self._work) as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
            done = subprocess.run(
                [*command, "--dest", folder, f"pillow=={PILLOW}"], capture_output=True, text=True, check=False
            )
            archives = list(Path(folder).glob("*.tar.gz"))
            if not archives:
                raise RuntimeError(f"corpus: pillow {PILLOW}: pip could not fetch its sources\n{done.stderr}")
            self._folder.mkdir(exist_ok=True)
            with tarfile.open(archives[0]) as archive:
                for name in (STEREO, ADOBE_RGB):
                    member = archive.extractfile(f"pillow-{PILLOW}/Tests/images/{name}")
                    if member is not None:
                        (self._folder / name).write_bytes(member.read())


def _grown(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return the middle of a photograph enlarged, with the grain of a sensor of that many pixels."""
    aspect = width / height
    kept = (min(image.width, image.height * aspect), min(image.height, image.width / aspect))
    left, top = (image.width - kept[0]) / 2, (image.height - kept[1]) / 2
    box = (left, top, left + kept[0], top + kept[1])
    pixels = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=box))
    noise = np.random.default_rng(1)
    grain = noise.normal(0, GRAIN, (height, width, 1)) + noise.normal(0, GRAIN / 2, (height, width, 3))
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8), "RGB")


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _jpeg(image: Image.Image, subsampling: str = "4:2:0", *, quality: int = 90, **options: object) -> bytes:
    return _saved(image, "JPEG", quality=quality, subsampling=subsampling, **options)


def _on_its_side(originals: _Originals) -> bytes:
    """Return a photo as an upright phone stores it: the sensor's rows, and the orientation in EXIF."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return _jpeg(_grown(originals.photo(1), 4032, 3024), exif=exif)


def _adobe_rgb(originals: _Originals) -> bytes:
    photo = originals.wide_gamut()
    return _jpeg(_grown(photo, 4724, 2532), "4:4:4", icc_profile=photo.info["icc_profile"])


def _reduced(originals: _Originals, number: int, width: int, height: int) -> Image.Image:
    return originals.photo(number).resize((width, height), Image.Resampling.LANCZOS)


def _cut_out(originals: _Originals) -> bytes:
    """Return a photograph that fades out towards its border."""
    photo = _reduced(originals, 1, 2048, 1536)
    alpha = Image.radial_gradient("L").resize(photo.size).point(lambda value: max(0, min(255, 2 * (230 - value))))
    photo.putalpha(alpha)
    return _saved(photo, "PNG")


def _graphics(image: Image.Image) -> bytes:
    """Save a PNG with a private chunk, as editors add: a small file would get a thumbnail of a lower quality."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"prVt", bytes(GRAPHICS_CHUNK_BYTES), after_idat=True)
    return _saved(image, "PNG", pnginfo=chunks)


_Make = Callable[[_Originals], bytes]
_EXTENSIONS = {JPEG: "jpg", WEBP: "webp", AVIF: "avif"}  # all others are PNGs
_REAL = frozenset({"10MP-422", "2MP-444-AdobeRGB"})
_RECIPES: dict[str, tuple[str, _Make]] = {
    "10MP-422": (JPEG, lambda originals: originals.data(STEREO)),
    "2MP-444-AdobeRGB": (JPEG, lambda originals: originals.data(ADOBE_RGB)),
    "6MP-420": (JPEG, lambda originals: _jpeg(_reduced(originals, 1, 2848, 2136), quality=75)),
    "12MP-420": (JPEG, lambda originals: _jpeg(_grown(originals.photo(0), 4032, 3024))),
    "24MP-420": (JPEG, lambda originals: _jpeg(_grown(originals.photo(1), 6000, 4000))),
    "12MP-444-AdobeRGB": (JPEG, _adobe_rgb),
    "12MP-420-on-its-side": (JPEG, _on_its_side),
    "12MP-420-progressive": (JPEG, lambda originals: _jpeg(_grown(originals.photo(0), 4032, 3024), progressive=True)),
    "3MP-photo": (PNG_RGB, lambda originals: _saved(_reduced(originals, 0, 2048, 1536), "PNG")),
    "2MP-photo": (PNG_RGB, lambda originals: _saved(originals.wide_gamut(), "PNG", icc_profile=None)),
    "3MP-photo-alpha": (PNG_RGBA, _cut_out),
    "3MP-drawing-alpha": (PNG_RGBA, lambda _originals: _saved(graphics.drawing(), "PNG")),
    "12MP": (WEBP, lambda originals: _saved(_grown(originals.photo(0), 4032, 3024), "WEBP", quality=80)),
    "6MP": (AVIF, lambda originals: _saved(_reduced(originals, 1, 2848, 2136), "AVIF", quality=65, speed=8)),
    "12MP-quality-50": (
        AVIF,
        lambda originals: _saved(_grown(originals.photo(0), 4032, 3024), "AVIF", quality=50, speed=8),
    ),
}
_GRAPHICS: dict[str, _Make] = {
    "line-art": lambda _originals: _graphics(graphics.line_art()),
    "zone-plate": lambda _originals: _graphics(graphics.zone_plate()),
    "text": lambda _originals: _graphics(graphics.text_page()),
    "screenshot": lambda originals: _graphics(graphics.screenshot(originals.photo(0))),
}
_RECIPES |= {name: (GRAPHICS, make) for name, make in _GRAPHICS.items()}
_RECIPES |= {f"{name}-to-jpeg": (GRAPHICS_TO_JPEG, make) for name, make in _GRAPHICS.items()}
_RECIPES |= {
    "logo-shadow": (LOGOS, lambda _originals: _graphics(graphics.logo())),
    "logo-glow": (LOGOS, lambda _originals: _graphics(graphics.glowing_logo())),
    "logo-gradients": (LOGOS, lambda _originals: _graphics(graphics.glossy_logo())),
}
