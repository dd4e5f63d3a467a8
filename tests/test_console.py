"""What commands print with: no text of others steers the terminal, in whatever it is printed."""

from __future__ import annotations

import ast
from io import StringIO

import pytest
from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from mesh.console import PlainConsole, in_line, table
from tests.test_layers import modules

NASTY = "\x1b]0;title\x07 red[red]\n::error::x :warning:"


def printed(what: RenderableType, **how: bool) -> str:
    console = PlainConsole(
        file=(written := StringIO()),
        force_terminal=True,
        color_system="standard",
        emoji=False,
        highlight=False,
        width=60,
    )
    console.print(what, **how)
    return written.getvalue()


def in_table() -> RenderableType:
    made = table("one", "two", title="\x1b[5mtitle")
    made.add_row(escape(NASTY), "\x1b[31m::group::")
    return made


@pytest.mark.parametrize(
    "text", [printed(Text(NASTY)), printed(NASTY, markup=False), printed(in_table())]
)
def test_no_text_steers_the_terminal(text: str) -> None:
    assert "\x1b]" not in text and "\x1b[31m" not in text and "\x1b[5m" not in text
    assert ":warning:" in text
    assert not any(line.strip().startswith("::") for line in text.splitlines())


def test_the_colours_of_the_program_stay() -> None:
    assert printed("[bold red]error:[/] \x1b[32mno") == "\x1b[1;31merror:\x1b[0m ␛[32mno\n"


def test_a_text_with_lines_is_part_of_a_line() -> None:
    assert in_line("a [b]\nNothing is broken.") == "a \\[b] Nothing is broken."


def test_whatever_is_printed_goes_through_one_console() -> None:
    """JSON alone does not, which machines read as it is."""
    wrong = []
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("Console", "print") or called.endswith(("print_json", "Console.print")):
                wrong.append(f"{name}: {ast.unparse(node)}")
            if called == "typer.echo" and "json.dumps" not in ast.unparse(node):
                wrong.append(f"{name}: {ast.unparse(node)}")
    assert [one for one in wrong if "--version" not in one] == [
        "mesh.cli.main: typer.echo(f\"mesh {version('movie-audience-mesh')}\")",
        "mesh.dashboards.preview.serve: print(f'a page could not be sent: {error!r}', "
        "file=sys.stderr)",
    ]
