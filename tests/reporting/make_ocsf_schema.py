"""Make schemas/ocsf-1.9.0-findings.json: OCSF's own definitions of the two classes that we write, as one JSON schema.

Run: python tests/reporting/make_ocsf_schema.py 1.8.0.json

The file is what schema.ocsf.io exports for OCSF 1.8.0, the newest of which there is a package: it is in the wheel of
ocsf-json-schema 1.2.0 (MIT; the definitions are Apache-2.0), as `ocsf_json_schema/ocsf/1.8.0.json`. What 1.9.0 changes of
these classes is added here, from the definitions and the changelog of the repository `ocsf/ocsf-schema`. What OCSF has
deprecated is left out, so that a use of it is a fault; so is what does not belong to a class or an object.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CLASSES = ("compliance_finding", "detection_finding")
PROFILE = "cloud"
PLAIN = {"boolean_t": "boolean", "float_t": "number", "integer_t": "integer", "long_t": "integer", "string_t": "string"}
# events/findings/finding.json of 1.9.0: `notes` supersedes `comment` (pull request 1670); its `resources` both classes had
NOTES = {"type": "object_t", "object_type": "note", "is_array": True, "requirement": "optional"}
FINDING = {"comment": None, "notes": NOTES}
# objects/note.json of 1.9.0
NOTE = {
    "attributes": {
        "comment": {"type": "string_t", "requirement": "required"},
        "created_time": {"type": "timestamp_t", "requirement": "recommended"},
        "modified_time": {"type": "timestamp_t", "requirement": "recommended"},
        "owner": {"type": "object_t", "object_type": "user", "requirement": "recommended"},
        "title": {"type": "string_t", "requirement": "optional"},
        "uid": {"type": "string_t", "requirement": "optional"},
    }
}
# `_entity`, which objects extend, has a numeric id beside its `uid` (1643); an actor's application is an object (1702)
ENTITY = {"uid_numeric": {"type": "long_t", "requirement": "optional"}}
ACTOR = {"app_name": None, "app_uid": None, "application": {"type": "object_t", "object_type": "application"}}


class Maker:
    """Compiles the classes of an export; objects are defined when they are first met."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.classes, self.objects = source["classes"], {**source["objects"], "note": NOTE}
        self.types = source["dictionary"]["types"]["attributes"]
        self.definitions: dict[str, Any] = {}

    def event(self, name: str) -> dict[str, Any]:
        """Give the schema of an event class, with the profile `cloud`."""
        entry = self.classes[name]
        made = self.members({**entry["attributes"], **FINDING}, entry.get("constraints"))
        made["properties"]["class_name"]["enum"] = [entry["caption"]]
        return made

    def members(self, attributes: dict[str, Any], constraints: dict[str, Any] | None) -> dict[str, Any]:
        """Give the schema of an object with these attributes."""
        alive = {
            name: one
            for name, one in sorted(attributes.items())
            if one and "@deprecated" not in one and PROFILE in (one.get("profiles") or [PROFILE])
        }
        made: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "required": sorted(name for name, one in alive.items() if one.get("requirement") == "required"),
            "properties": {name: self.value(one) for name, one in alive.items()},
        }
        for rule, word in (("at_least_one", "anyOf"), ("just_one", "oneOf")):
            if (constraints or {}).get(rule):
                made[word] = [{"required": [name]} for name in constraints[rule] if name in alive]
        return made

    def value(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Give the schema of one attribute."""
        schema = self.object(entry["object_type"]) if entry["type"] == "object_t" else self.typed(entry["type"])
        if entry.get("enum") and schema.get("type") == "integer":
            schema = {**schema, "enum": sorted(map(int, entry["enum"]))}
        return {"type": "array", "items": schema} if entry.get("is_array") else schema

    def typed(self, name: str) -> dict[str, Any]:
        """Give the schema of a type that is no object."""
        if name == "json_t":
            return {}
        if name in PLAIN:
            return {"type": PLAIN[name]}
        entry = self.types[name]
        schema = self.typed(entry["type"])
        return {**schema, "pattern": entry["regex"]} if "regex" in entry else schema

    def object(self, name: str) -> dict[str, Any]:
        """Give a reference to an object among the definitions; one without attributes may be anything."""
        entry = self.objects[name]
        if not entry["attributes"]:
            return {"type": "object"}
        if name not in self.definitions:
            self.definitions[name] = None
            more = ENTITY if "_entity" in self.lineage(name) else ACTOR if name == "actor" else {}
            self.definitions[name] = self.members({**entry["attributes"], **more}, entry.get("constraints"))
        return {"$ref": f"#/$defs/{name}"}

    def lineage(self, name: str) -> list[str]:
        """Give the names of what an object extends; hidden ones, which the export lacks, end it."""
        parent = self.objects.get(name, {}).get("extends")
        return [parent, *self.lineage(parent)] if parent and parent != name else []


def main(path: str) -> None:
    """Write the schema."""
    source = json.loads(Path(path).read_text())
    if source["version"] != "1.8.0":
        sys.exit("this is no export of OCSF 1.8.0")
    maker = Maker(source)
    classes = [maker.event(name) for name in CLASSES]
    whole = {"title": "OCSF 1.9.0, findings", "oneOf": classes, "$defs": dict(sorted(maker.definitions.items()))}
    target = Path(__file__).parent / "schemas" / "ocsf-1.9.0-findings.json"
    target.write_text(json.dumps(whole, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
