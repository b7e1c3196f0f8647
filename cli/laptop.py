"""`up` and `down`: the lake on this laptop."""

from __future__ import annotations

from typing import Annotated

import typer

PortOption = Annotated[int, typer.Option(help="Port of the AWS endpoint on 127.0.0.1.", min=0, max=65535)]
ColdOption = Annotated[
    bool, typer.Option("--cold", help="A JVM for each job run, as on Glue, instead of one kept warm.")
]
ScaleOption = Annotated[float, typer.Option(help="Size of the source data; 1 is TICKIT's published size.", min=0.001)]


def up(port: PortOption = 4580, cold: ColdOption = False, scale: ScaleOption = 1.0) -> None:
    """Start the embedded AWS endpoint, deploy the app to it and fill the source databases."""
    from cli.console import console

    start(port, cold, scale)
    from local import laptop

    running = laptop.running()
    assert running is not None
    console.print("\nTo use other AWS clients:")
    for name, value in laptop.USER.environment(running.url, running.region).items():
        console.print(f"  export {name}={value}", soft_wrap=True)
    console.print(
        "Next: `./headwater run tickit`, `./headwater query 'select 1'`, `./headwater api`, `./headwater down`."
    )


def down() -> None:
    """Stop the endpoint and all it started; the laptop's lake is gone with it."""
    from cli.console import console
    from local import laptop

    console.print("The lake is down." if laptop.down() else "No lake was up.")


def start(port: int, cold: bool, scale: float) -> dict[str, float]:
    """Bring the laptop's lake up, saying what happens; the seconds that each phase took."""
    from cli.console import progress
    from local import laptop

    seconds: dict[str, float] = {}
    with progress.status("starting") as status:

        def report(phase: str, took: float | None) -> None:
            if took is None:
                status.update(phase)
            else:
                seconds[phase] = took
                progress.print(f"  {phase:<44}{took:6.1f} s")

        laptop.up(port=port, cold=cold, scale=scale, report=report)
    return seconds
