"""The texts a configuration is made of: files, and the presets they start from."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from imgpipe_templates.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class TomlSource(NamedTuple):
    """One TOML text; a later layer overrides an earlier one, table by table.

    Attributes:
        name: What error messages call it, such as imgpipe.toml or preset thumbnails.
        text: The TOML.
    """

    name: str
    text: str

    @classmethod
    def read(cls, path: Path) -> TomlSource:
        """The file as a layer; a byte order mark, as some editors write it, is dropped.

        Raises:
            ConfigError: There is no such file, it cannot be read, or it is not UTF-8.
        """
        try:
            return cls(str(path), path.read_bytes().decode("utf-8-sig"))
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such file; expected a TOML file") from None
        except IsADirectoryError:
            raise ConfigError(f"{path}: is a folder; expected a TOML file") from None
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ConfigError(f"{path}: cannot be read: {reason}; expected a TOML file") from error
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise ConfigError(f"{path}:{line}: is not UTF-8 text; expected a TOML file in UTF-8") from error


class Presets:
    """A folder of TOML files that configurations may start from with `preset = "<file name without .toml>"`.

    The folder is part of this package: a remembered configuration depends on the package's files, and not on others.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @functools.cached_property
    def names(self) -> list[str]:
        """Every preset, sorted."""
        return sorted(path.stem for path in self.folder.iterdir() if path.suffix == ".toml")

    def layer(self, name: str, where: str = "") -> TomlSource:
        """The preset as a layer called `preset <name>`.

        Args:
            name: Of the preset.
            where: What asks for it, with a trailing colon and space, for the error message.

        Raises:
            ConfigError: There is no such preset.
        """
        if name not in self.names:
            raise ConfigError(f"{where}preset: {name!r} is unknown; {near(name, self.names)}")
        return TomlSource(f"preset {name}", TomlSource.read(self.folder / f"{name}.toml").text)


def near(name: str, known: Iterable[str]) -> str:
    """The clause that helps after a wrong name: the one that was probably meant, or all there are."""
    import difflib  # noqa: PLC0415 - it costs a few milliseconds that only a mistake has to pay

    names = list(known)
    if found := difflib.get_close_matches(name, names, n=1):
        return f"did you mean {found[0]}?"
    return f"expected one of: {', '.join(names)}" if names else "none is expected here"
