"""Documentation is tested: what exists is written down, and what is written down exists."""

from __future__ import annotations

import inspect
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from onemap import errors
from onemap.cli.main import VERBS, cli
from onemap.domain.layer import Catalog
from onemap.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_every_setting_is_described() -> None:
    described = text("settings.md")
    for setting in fields(Settings):
        assert f"`{setting.metadata['variable']}`" in described


def test_every_verb_is_described_and_loads() -> None:
    described = text("settings.md")
    for verb in VERBS:
        assert f"`{verb}`" in described
        assert cli.get_command(cli.make_context("onemap", [verb], resilient_parsing=True), verb) is not None


def test_every_verb_answers_in_json() -> None:
    context = cli.make_context("onemap", ["run"], resilient_parsing=True)
    for verb in VERBS:
        command = cli.get_command(context, verb)
        assert command is not None
        leaves = list(command.commands.values()) if hasattr(command, "commands") else [command]
        for leaf in leaves:
            assert any("--json" in option.opts for option in leaf.params), f"onemap {verb} {leaf.name} has no --json"


def test_every_error_is_described() -> None:
    described = text("operation.md")
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.OneMapError) and kind is not errors.OneMapError:
            assert f"`{name}`" in described


def test_every_layer_is_described(catalog: Catalog) -> None:
    rows = text("layers.md")
    for layer in catalog:
        assert re.search(rf"\| `{layer.name}` \| {layer.title.zh} \| {layer.geometry.value} \|", rows)


def test_every_dependency_has_its_reason() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    reasons = text("dependencies.md")
    for requirement in declared:
        name = re.split(r"[\[><=~!;]", requirement)[0]
        assert re.search(rf"\b{re.escape(name)}\b", reasons), f"docs/dependencies.md does not say why {name} is here"


@pytest.mark.parametrize(
    "page", sorted(p.relative_to(ROOT).as_posix() for p in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)", path.read_text("utf-8")):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), f"{page} links to {target}"


def test_no_machine_path_or_index_address_is_committed() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", (ROOT / name).read_text("utf-8"))
