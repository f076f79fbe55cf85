"""The JSON Schema of a configuration file, for editors that complete and check TOML."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from imgpipe_templates.configuration.shapes import NONE
from imgpipe_templates.configuration.sources import PRESET

if TYPE_CHECKING:
    from pydantic_core import core_schema

    from imgpipe_templates.configuration.layers import Presets
    from imgpipe_templates.configuration.notes import Section

Schema = dict[str, Any]


def json_schema(cls: type[Section], *, presets: Presets) -> Schema:
    """JSON Schema (draft 2020-12) of a file that is read as a `cls` and may start from a preset.

    Nothing is required in a file with a preset, because the preset has every key.
    """
    schema = TypeAdapter(cls).json_schema(schema_generator=_FileSchema)
    required = schema.pop("required", [])
    for table in schema.get("$defs", {}).values():
        table.pop("required", None)
    preset = {
        "type": "string",
        "enum": presets.names,
        "description": "The preset this file starts from; what is written in the file overrides it.",
    }
    schema["properties"] = {PRESET: preset, **schema["properties"]}
    if required:
        schema["anyOf"] = [{"required": [PRESET]}, {"required": required}]
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": "Configuration of an image pipeline", **schema}


class _FileSchema(GenerateJsonSchema):
    """pydantic's generator, without what only repeats the name of a key and without null, which TOML has not."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        """No titles made of the key's name."""
        return False

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> Schema:
        """A table: its description is that of its class, its name the key's."""
        table = super().dataclass_schema(schema)
        table.pop("title", None)
        return table

    def dict_schema(self, schema: core_schema.DictSchema) -> Schema:
        """A table with keys of its own choice; where they have a pattern, there are no others."""
        table = super().dict_schema(schema)
        if "patternProperties" in table:
            table["additionalProperties"] = False
        return table

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        """The value, or the word that stands for None."""
        return {"anyOf": [self.generate_inner(schema["schema"]), {"const": NONE}]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        """Defaults of values; those of tables are in their own keys."""
        default = schema.get("default")
        if default is None or dataclasses.is_dataclass(default):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)
