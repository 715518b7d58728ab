"""`realtime-pose listen`: statistics of the PosePackets that arrive on a UDP port."""

from typing import Annotated

import typer

from realtime_pose.cli.run_and_show import INTERRUPTED
from realtime_pose.cli.terminal import out
from realtime_pose.errors import PacketError


def listen(
    bind: Annotated[str, typer.Argument(help="host:port to listen on.")] = "127.0.0.1:5005",
    count: Annotated[int | None, typer.Option(min=1, metavar="N", help="Stop after this many datagrams.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Validate each packet against the schema; exit 1 if one is invalid.")
    ] = False,
) -> None:
    """Show what arrives on a UDP port: senders, rate, loss, jitter, latency and where people are."""
    from realtime_pose.cli.listening import listen_to
    from realtime_pose.communication.packets.schema_check import SchemaCheck

    result = listen_to(bind, count, out, SchemaCheck() if check else None)
    if check and result.malformed:
        raise PacketError(f"{result.malformed} of {result.datagrams} datagrams were not valid: {result.why_malformed}")
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)
    if check:
        out.print(f"{result.datagrams} datagrams, all valid")
