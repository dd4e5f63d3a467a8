"""YAML that people go on writing: a text of several lines stands as it is, line by line."""

from __future__ import annotations

import yaml


class Dumper(yaml.SafeDumper):
    """PyYAML's, with blocks for such texts, and lists deeper than their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


class Prose(str):
    """A text that somebody will write over: in a block of its own, where any sign may stand."""


def _prose(dumper: yaml.SafeDumper, text: Prose) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=">")


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, _block)
Dumper.add_representer(Prose, _prose)
