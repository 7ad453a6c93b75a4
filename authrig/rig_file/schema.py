"""The JSON Schema of the rig file, for editors (https://json-schema.org/draft/2020-12)."""

from typing import Any

import msgspec

from authrig.rig_file.entries import RigFile

ID = "urn:authrig:rig-file:1"


def json_schema() -> dict[str, Any]:
    """The schema as a document."""
    schema = msgspec.json.schema(RigFile)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID, "title": "Authrig rig file", **schema}
