"""What the pages written by hand say can be followed: links, commands, names."""

import argparse
import contextlib
import importlib
import io
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from controller.__main__ import MODULES, VERBS
from packline.core.faults import FAULTS
from packline.core.files import parse
from packline.orders.policy import ROLES

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "sites" / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page.read_text("utf-8")) if kind == language]


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings as GitHub makes them."""
    text = FENCE.sub("", page.read_text("utf-8"))
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    wrong = []
    for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            wrong.append(link)
    assert not wrong


def test_every_page_is_reached_from_the_index():
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    linked = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in LINK.findall(index)}
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - {ROOT / "docs" / "README.md"}
    assert not {name_of(page) for page in pages - linked}


def test_every_picture_is_shown_somewhere():
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    pictures = [p for p in (ROOT / "docs").rglob("*") if p.suffix in (".png", ".jpg", ".svg")]
    assert pictures
    assert not [p.name for p in pictures if p.name not in text]


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in blocks(page, "sh"):
            joined = block.replace("\\\n", " ")
            for line in joined.splitlines():
                for part in re.split(r"&&|\|\||;|\|", line.partition("  #")[0]):
                    words = part.strip()
                    if words.startswith("packline "):
                        found.append((name_of(page), words))
    return found


@pytest.mark.parametrize("page, command", commands())
def test_shown_commands_exist_with_their_options(page, command):
    verb, *words = [word for word in shlex.split(command)[1:] if not word.startswith((">", "2>"))]
    if words == ["..."]:
        words = ["sites/demo.toml"]
    assert verb in VERBS
    parser = argparse.ArgumentParser()
    importlib.import_module(f"controller.commands.{MODULES.get(verb, verb)}").arguments(parser)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            parser.parse_args(words)
        except SystemExit:
            pytest.fail(f"{page}: {command}: {said.getvalue()}")


def test_make_goals_that_pages_name_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    goals = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        goal for page in PAGES for goal in re.findall(r"^\s*make ([a-z]+)", "\n".join(code_of(page)), re.MULTILINE)
    }
    assert named
    assert named <= goals


def code_of(page: Path) -> list[str]:
    text = page.read_text("utf-8")
    return [*blocks(page, "sh"), *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))]


def test_arguments_that_pages_pass_to_the_demo_exist():
    parser = argparse.ArgumentParser()
    importlib.import_module("controller.commands.demo").arguments(parser)
    passed = [words for page in PAGES for block in code_of(page) for words in re.findall(r'ARGS="([^"]*)"', block)]
    assert passed
    for words in passed:
        parser.parse_args(shlex.split(words))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_faults_that_a_page_names_exist(page):
    text = page.read_text("utf-8")
    named = re.findall(r"(?:fault|exception|alarm|Fault|\*\*)\s*\*{0,2}([1-5]\d{3})\b", text)
    assert not {code for code in named if int(code) not in FAULTS}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_a_page_names_exist(page):
    rooms = "controller|docs|labeling|packline|plc|scanning|simulation|sites|stations|tests|web"
    named = re.findall(rf"`((?:{rooms})/[\w./-]+)`", page.read_text("utf-8"))
    wrong = [path for path in named if not (ROOT / path).exists() and not (ROOT / path.split("*")[0]).exists()]
    assert not wrong


def test_toml_that_pages_show_is_a_part_of_a_site_file():
    from controller.commands.sim.scenario_file import Scenario
    from controller.site import Site
    from simulation.model.reading import model_of

    known = Site.model_fields
    shown = [block for page in PAGES for block in blocks(page, "toml")]
    assert shown
    for block in shown:
        part = tomllib.loads(block)
        if "machine" in part or "project" in part:
            continue  # a machine file, or somebody's package: tests/docs/test_kind_of_machine.py
        if "model" in part:
            model_of(part, "page")
            continue
        if part.keys() <= Scenario.model_fields.keys():
            Scenario.model_validate(part)
            continue
        assert part.keys() <= known.keys()
        for name, tables in part.items():
            whole = tomllib.loads((ROOT / "sites" / "demo.toml").read_text("utf-8"))
            for inner, value in tables.items():
                whole[name][inner] = (
                    {**beneath(whole[name].get(inner), value), **value} if isinstance(value, dict) else value
                )
            parse(whole, Site, "page")


def beneath(before: object, shown: dict[str, object]) -> dict[str, object]:
    """Give what a shown table may take for granted: a whole machine (it names its file) says itself how it is protected."""
    known = before if isinstance(before, dict) else {}
    return {key: value for key, value in known.items() if not (key == "security" and "file" in shown)}


def test_roles_are_those_of_the_house():
    text = (ROOT / "docs" / "how-to" / "add-a-user.md").read_text("utf-8")
    assert [role for role in re.findall(r"^\| (\w+) \|", text, re.MULTILINE) if role != "role"] == list(ROLES)


def test_all_homes_of_libraries_are_in_the_architecture_page():
    text = (ROOT / "docs" / "explanations" / "architecture.md").read_text("utf-8")
    table = text.split("## Each library has one home")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (?!library|---)(.+?) \| (.+?) \|$", table, re.MULTILINE)
    shown = {
        library: set(re.findall(r"`([\w/]+)`", homes))
        for libraries, homes in rows
        for library in re.sub(r" \([^)]*\)", "", libraries).split(", ")
    }
    assert shown == homes_of_libraries()


def homes_of_libraries() -> dict[str, set[str]]:
    """Give library -> rooms that may import it, as the import contracts say: rooms that no contract names, and the excepted."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    homes: dict[str, set[str]] = {}
    for contract in (c for c in contracts if c["id"].startswith("home-")):
        excepted = {entry.split(" -> ")[0].removesuffix(".**") for entry in contract.get("ignore_imports", [])}
        rooms = {room for room in ROOMS if room not in contract["source_modules"]}
        for library in contract["forbidden_modules"]:
            homes[library] = rooms | {room.replace(".", "/") for room in excepted}
    return homes


ROOMS = ("plc", "stations", "labeling", "scanning", "simulation", "web", "packline", "controller")


def test_all_rooms_are_in_the_architecture_page():
    text = (ROOT / "docs" / "explanations" / "architecture.md").read_text("utf-8")
    picture = text.split("```text")[1].split("```")[0]
    inner = ("feeds", "store", "orders", "market", "core")
    assert all(re.search(rf"\b{room}\b", picture) for room in (*ROOMS, *inner))


def test_pages_count_the_rooms_right():
    counted = {8: "eight"}[len(ROOMS)]
    first = (ROOT / "docs" / "explanations" / "architecture.md").read_text("utf-8").splitlines()[2]
    decided = (ROOT / "docs" / "decisions" / "2026-11-21-rooms.md").read_text("utf-8")
    assert first.lower().startswith(f"{counted} top-level packages")
    assert f"{counted} rooms on four storeys" in decided


def test_architecture_page_names_the_verbs_that_may_import_the_twin():
    text = (ROOT / "docs" / "explanations" / "architecture.md").read_text("utf-8")
    sentence = next(line for line in text.splitlines() if "never import `simulation`" in line)
    verbs = {path.stem for path in (ROOT / "controller" / "commands").glob("*.py") if imports_the_twin(path)}
    verbs |= {path.parent.name for path in (ROOT / "controller" / "commands").glob("*/*.py") if imports_the_twin(path)}
    assert set(re.findall(r"`(\w+)`", sentence.split(";")[1].split(".")[0])) == verbs


def imports_the_twin(path: Path) -> bool:
    return bool(re.search(r"^\s*(?:from|import) simulation\b", path.read_text("utf-8"), re.MULTILINE))


async def test_every_fault_of_the_twin_is_explained():
    from controller.commands.twin.plant import plant_of
    from controller.site_file import load_site
    from simulation.twin import Twin

    text = (ROOT / "docs" / "reference" / "twin-faults.md").read_text("utf-8")
    twin = Twin(plant_of(load_site(ROOT / "sites" / "demo.toml"), ROOT / "sites" / "demo.toml"))
    known = {fault for post in twin._posts for fault in post.switches}
    assert len(known) > 15
    assert not {fault for fault in known if f"`{fault}`" not in text}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_speak_of_no_machine_path(page):
    assert not re.search(r"/(?:work|home|root|Users)/", page.read_text("utf-8"))
