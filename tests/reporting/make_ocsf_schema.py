"""Make schemas/ocsf-1.7.0-findings.json: OCSF's own definitions of the two classes that we write, as one JSON schema.

Run: python tests/reporting/make_ocsf_schema.py v1_7_0.json

The file is in the wheel of pydantic-ocsf 3.0.0 (Apache-2.0), as `ocsf/schemas/v1_7_0.json`. What OCSF has deprecated is left
out, so that a use of it is a fault; so is what does not belong to a class or an object.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CLASSES = ("compliance_finding", "detection_finding")
FINDINGS = 2
# profiles/cloud.json of OCSF 1.7.0, which the file does not hold
CLOUD = {"cloud": {"requirement": "required"}, "api": {"requirement": "optional"}}
PLAIN = {"boolean_t": "boolean", "float_t": "number", "integer_t": "integer", "long_t": "integer", "string_t": "string"}


class Maker:
    """Compiles definitions that extend each other; objects are defined when they are first met."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.events, self.objects = source["events"], source["objects"]
        self.dictionary, self.types = source["dictionary"]["attributes"], source["dictionary"]["types"]["attributes"]
        self.definitions: dict[str, Any] = {}

    def event(self, name: str) -> dict[str, Any]:
        """Give the schema of an event class, with the profile `cloud`."""
        entry = self.events[name]
        number = FINDINGS * 1000 + entry["uid"]
        made = self.members({**self.inherited(self.events, name), **CLOUD}, entry.get("constraints"))
        activities = made["properties"]["activity_id"]["enum"]
        fixed = {"class_uid": [number], "category_uid": [FINDINGS], "class_name": [entry["caption"]]}
        fixed |= {"type_uid": [number * 100 + activity for activity in activities]}
        for attribute, allowed in fixed.items():
            made["properties"][attribute]["enum"] = allowed
        return made

    def inherited(self, kind: dict[str, Any], name: str) -> dict[str, Any]:
        """Give the attributes of a definition, over those of what it extends."""
        entry = kind[name]
        known = self.inherited(kind, entry["extends"]) if entry.get("extends") else {}
        for attribute, own in entry["attributes"].items():
            if attribute != "$include":
                enum = {**known.get(attribute, {}).get("enum", {}), **own.get("enum", {})}
                known[attribute] = {**known.get(attribute, {}), **own, **({"enum": enum} if enum else {})}
        return known

    def members(self, attributes: dict[str, Any], constraints: dict[str, Any] | None) -> dict[str, Any]:
        """Give the schema of an object with these attributes."""
        alive = {name: one for name, one in sorted(attributes.items()) if "@deprecated" not in one}
        made: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "required": sorted(name for name, one in alive.items() if one.get("requirement") == "required"),
            "properties": {name: self.value(name, one) for name, one in alive.items()},
        }
        least = [{"required": [name]} for name in (constraints or {}).get("at_least_one", ())]
        return {**made, "anyOf": least} if least else made

    def value(self, name: str, own: dict[str, Any]) -> dict[str, Any]:
        """Give the schema of one attribute."""
        entry = {**self.dictionary[name], **own}
        schema = self.typed(entry["type"])
        enum = {**self.dictionary[name].get("enum", {}), **own.get("enum", {})}
        if enum and schema.get("type") == "integer":
            schema = {**schema, "enum": sorted(map(int, enum))}
        return {"type": "array", "items": schema} if entry.get("is_array") else schema

    def typed(self, name: str) -> dict[str, Any]:
        """Give the schema of a type; an object's stands among the definitions."""
        if name in {"json_t", "object"}:
            return {}
        if name in PLAIN:
            return {"type": PLAIN[name]}
        if name in self.types:
            entry = self.types[name]
            schema = self.typed(entry["type"])
            return {**schema, "pattern": entry["regex"]} if "regex" in entry else schema
        if name not in self.definitions:
            self.definitions[name] = None
            constraints = next((one for one in self.lineage(name) if one), None)
            self.definitions[name] = self.members(self.inherited(self.objects, name), constraints)
        return {"$ref": f"#/$defs/{name}"}

    def lineage(self, name: str | None) -> list[Any]:
        """Give the constraints of an object and of what it extends."""
        return (
            []
            if name is None
            else [self.objects[name].get("constraints"), *self.lineage(self.objects[name].get("extends"))]
        )


def main(path: str) -> None:
    """Write the schema."""
    maker = Maker(json.loads(Path(path).read_text()))
    classes = [maker.event(name) for name in CLASSES]
    whole = {"title": "OCSF 1.7.0, findings", "oneOf": classes, "$defs": dict(sorted(maker.definitions.items()))}
    target = Path(__file__).parent / "schemas" / "ocsf-1.7.0-findings.json"
    target.write_text(json.dumps(whole, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
