"""JSON Schema of a configuration file, for editors that complete and check TOML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from imgpipe_templates.configuration.field_metadata import Length, OnlyWith, Range, Section, Unit
from imgpipe_templates.configuration.field_types import NONE, FieldType, field_types
from imgpipe_templates.configuration.source_merging import PRESET
from imgpipe_templates.configuration.toml_sources import Presets

Schema = dict[str, Any]


def json_schema(cls: type[Section], *, presets: Presets) -> Schema:
    """Return the JSON Schema (draft 2020-12) of a file that is loaded as a `cls` and may start from a preset.

    A file with a preset has no required keys, because the preset has every key.
    """
    schema = cls.model_json_schema(schema_generator=_FileSchema)
    _describe(schema, cls, schema.get("$defs", {}))
    required = schema.pop("required", [])
    for table in schema.get("$defs", {}).values():
        table.pop("required", None)
    preset = {
        "type": "string",
        "enum": presets.names,
        "description": "The preset that this file starts from. Keys of the file override it.",
    }
    schema["properties"] = {PRESET: preset, **schema["properties"]}
    if required:
        schema["anyOf"] = [{"required": [PRESET]}, {"required": required}]
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": "Configuration of an image pipeline", **schema}


def _describe(table: Schema, cls: type[Section], definitions: Schema) -> None:
    """Add limits, units and conditions to the descriptions of the keys, for which JSON Schema has no words."""
    table.pop("title", None)
    for name, field_type in field_types(cls).items():
        key = table["properties"][name]
        texts = [key.get("description", ""), *_limit_texts(field_type)]
        if description := " ".join(filter(None, texts)):
            key["description"] = description
        if field_type.section and not field_type.optional:
            _describe(definitions[field_type.section.__name__], field_type.section, definitions)


def _limit_texts(field_type: FieldType) -> Iterator[str]:
    for entry in field_type.metadata:
        if isinstance(entry, Range | Length):
            yield f"{entry}."
        elif isinstance(entry, Unit):
            yield f"In {entry}."
        elif isinstance(entry, OnlyWith):
            yield f"Only with {entry}."


class _FileSchema(GenerateJsonSchema):
    """pydantic's generator without titles that repeat the key and without null, which TOML lacks."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        """Generate no title from the key."""
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> Schema:
        """Return the schema of a table with free keys; if they have a pattern, no other keys are allowed."""
        table = super().dict_schema(schema)
        if "patternProperties" in table:
            table["additionalProperties"] = False
        return table

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        """Return the schema of the value or of the notation of None."""
        return {"anyOf": [self.generate_inner(schema["schema"]), {"const": NONE}]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        """Return the schema with the default; the defaults of tables are those of their keys."""
        default = schema.get("default")
        if default is None or isinstance(default, Section):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)
