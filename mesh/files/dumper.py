"""YAML that people go on writing: a text of several lines stands as it is, line by line."""

from __future__ import annotations

import yaml


class Dumper(yaml.SafeDumper):
    """PyYAML's, with blocks for such texts, and lists deeper than their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, _block)
