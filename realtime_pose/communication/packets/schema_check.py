"""Validation of datagrams against the published JSON schema of the packet."""

import json
from typing import Any

from realtime_pose.communication.packets.binary import MAGIC, decode_binary
from realtime_pose.communication.packets.pose_packet import MAX_DATAGRAM_BYTES, encode
from realtime_pose.communication.packets.untrusted_json import read_object
from realtime_pose.errors import PacketError
from realtime_pose.utils.extras import needs_extra
from realtime_pose.utils.paths import data_path

_SCHEMA = "schema/pose-packet-v1.schema.json"


class SchemaCheck:
    """Validates datagrams against the schema; binary packets are decoded and validated as JSON."""

    def __init__(self) -> None:
        with needs_extra("schema", "checking packets against the schema"):
            from jsonschema import Draft202012Validator

        schema = json.loads(data_path(_SCHEMA).read_text(encoding="utf-8"))
        rules = schema["$defs"]
        self._whole = Draft202012Validator(schema)
        self._by_type = {
            kind: Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": rules})
            for kind in schema["properties"]["type"]["enum"]
        }

    def __call__(self, datagram: bytes) -> None:
        """Validate one datagram.

        Raises:
            PacketError: It is not a packet of version 1. The message names the path and the rule, and never repeats
                values from the datagram.
        """
        if datagram.startswith(MAGIC):
            datagram = encode(decode_binary(datagram))
        packet: dict[str, Any] = read_object(datagram, MAX_DATAGRAM_BYTES)
        kind = packet.get("type")
        of_type = self._by_type.get(kind) if isinstance(kind, str) else None
        error = next((of_type or self._whole).iter_errors(packet), None)
        if error is not None:
            place = "/".join(map(str, error.absolute_path))
            where = place if place and place.isprintable() and len(place) <= 64 else "its top level"
            raise PacketError(f"the schema refuses a packet at {where}: it breaks {error.validator!r}")
