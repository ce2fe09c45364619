"""The house is as docs/design.md draws it: which rooms there are, what each may import, and how long files may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import conformance
from conformance.casefile.loader import load
from conformance.ops import FAMILIES, OPERATIONS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "conformance"
MOST_ROOMS = 26
MOST_FLOORS = 15
MOST_LINES = 350
NO_ROOMS = {"browser", "faults", "house"}
"""Folders of tests that mirror none: pages in a browser, a backend that fails on purpose, and what is about everything."""

Rooms = dict[str, set[str]]


def drawn(text: str) -> Rooms:
    """The table of rooms in a page: room, what it is for, what it may import. From the top floor down."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    return {room: set(re.findall(r"`(\w+)`", imports)) for room, imports in rows}


def modules(package: Path) -> dict[str, Path]:
    """The modules of a package by their dotted names below it; a folder's own file under the folder's name."""
    named = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


def imported(path: Path, package: str, known: Iterable[str]) -> set[str]:
    """The modules of the package that a file imports, wherever in it, by their dotted names."""
    found, known = set(), set(known)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            # what is imported from a package may be a module of it
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == package:
                below = ".".join(parts[1:])
                found.add(below if below in known else ".".join(parts[1:-1]))
    return found


def between(package: Path, depth: int = 1) -> Rooms:
    """Of the rooms of a package, the others that each imports: its folders, and modules beside them."""
    known = modules(package)
    rooms: Rooms = {}
    for module, path in known.items():
        if module:
            room = ".".join(module.split(".")[:depth])
            others = {".".join(one.split(".")[:depth]) for one in imported(path, package.name, known)}
            rooms.setdefault(room, set()).update(others - {room, ""})
    return rooms


def circles(rooms: Mapping[str, set[str]]) -> list[str]:
    """Rooms that import each other in a circle."""
    left: dict[str, set[str]] = {room: set(below) for room, below in rooms.items()}
    while True:
        wanted = set().union(*left.values()) if left else set()
        free = [room for room, below in left.items() if not below & left.keys() or room not in wanted]
        if not free:
            return sorted(left)
        for room in free:
            del left[room]


def floor(room: str, rooms: Mapping[str, set[str]]) -> int:
    """A room stands above all that it imports; what imports nothing stands on floor 1."""
    return 1 + max((floor(below, rooms) for below in rooms[room]), default=0)


def mismatches(package: Path, drawn: Rooms) -> list[str]:
    """What a table of rooms says otherwise than it is, and where to look."""
    known, found = modules(package), between(package)
    table = "the table of rooms in docs/design.md"
    lines = [f"{room}: in {table} there is no such room" for room in found.keys() - drawn.keys()]
    lines += [f"{room}: {table} has it, and it is not there" for room in drawn.keys() - found.keys()]
    for module, path in known.items():
        room = module.split(".")[0]
        for other in sorted({one.split(".")[0] for one in imported(path, package.name, known)} - {room, ""}):
            if room and other not in drawn.get(room, set()):
                lines.append(f"{path.relative_to(package.parent)} imports {other}: in {table}, {room} may not")
    for room in found.keys() & drawn.keys():
        lines += [f"{room}: {table} says that it imports {one}, and nothing does" for one in drawn[room] - found[room]]
    return lines


def long_files(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(folder)} has {lines} lines, and {MOST_LINES} are allowed"
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".py", ".j2", ".js", ".css", ".yaml")
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    ]


DRAWN = drawn((ROOT / "docs" / "design.md").read_text(encoding="utf-8"))


def test_rooms_import_what_the_table_says_and_nothing_else() -> None:
    assert mismatches(PACKAGE, DRAWN) == []


def test_the_table_goes_from_the_top_floor_down() -> None:
    below, wrong = list(DRAWN), []
    for room, imports in DRAWN.items():
        below.remove(room)
        wrong += [f"docs/design.md: {room} imports {one}, which stands above it" for one in imports - set(below)]
    assert wrong == []


def test_there_are_no_more_rooms_and_floors_than_one_can_walk_through() -> None:
    assert len(DRAWN) <= MOST_ROOMS
    assert max(floor(room, DRAWN) for room in DRAWN) <= MOST_FLOORS


def test_no_module_lies_loose_beside_the_rooms() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}


def test_each_room_says_what_it_is_for_and_what_it_imports() -> None:
    wrong = []
    for room in DRAWN.keys() - {"__main__"}:
        said = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
        about, _, imports = " ".join(said.split()).rpartition("Imports ")
        due = DRAWN[room] or {"nothing of this package"}
        if not about or set(imports.rstrip(".").split(", ")) != due:
            wrong.append(f"{room}/__init__.py: its docstring must end with 'Imports {', '.join(sorted(due))}.'")
    assert wrong == []


def test_pages_share_one_room_and_know_nothing_of_each_other() -> None:
    rooms = between(PACKAGE, 2)
    pages = {room: {i for i in imports if i.startswith("reports")} for room, imports in rooms.items()}
    reports = {room: imports for room, imports in pages.items() if room.startswith("reports.")}
    assert len(reports) > 4 and not reports.pop("reports.shared")
    assert {page: imports for page, imports in reports.items() if not imports <= {"reports.shared"}} == {}


def test_files_do_not_import_each_other_in_a_circle() -> None:
    known = modules(PACKAGE)
    faces = {module for module, path in known.items() if path.name == "__init__.py"}  # they hand names on
    graph = {m: imported(path, "conformance", known) - faces for m, path in known.items() if m not in faces}
    assert circles(graph) == []


def test_no_file_holds_more_than_one_can_read() -> None:
    assert long_files(PACKAGE) == []


def test_tests_mirror_the_rooms() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - NO_ROOMS == DRAWN.keys() - {"__main__"}
    assert [path.name for path in (ROOT / "tests").glob("test_*.py")] == []


FRAMEWORKS = sorted(
    path.name for path in (PACKAGE / "backends" / "idioms").iterdir() if (path / "registry.py").exists()
)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_has_one_name_everywhere(family: str) -> None:
    places = {
        PACKAGE / "ops" / family: ".py",
        ROOT / "cases" / "ops" / family: ".yaml",
        ROOT / "tests" / "ops" / family: "",
        ROOT / "tests" / "ops" / f"test_{family}": ".py",
    }
    stands = {place.with_suffix(suffix) for place, suffix in places.items() if place.with_suffix(suffix).is_file()}
    stands |= {place for place in places if place.is_dir()}
    assert len(stands) == 3, f"{family} stands in {sorted(map(str, stands))}, and must in ops, cases/ops and tests/ops"
    lacking = [name for name in FRAMEWORKS if not (PACKAGE / "backends" / "idioms" / name / f"{family}.py").is_file()]
    assert lacking == [], f"backends/idioms/*/{family}.py is missing"


def test_case_files_stand_in_the_folder_of_their_operations_family() -> None:
    """Another folder would be a part of their IDs."""
    wrong = []
    for case in load(ROOT / "cases").cases:
        parts = Path(case.path).relative_to(ROOT / "cases").with_suffix("").parts
        if parts[0] == "ops" and parts[1] not in {OPERATIONS[name].family for name in case.operations}:
            wrong.append(case.path)
    assert sorted(set(wrong)) == []


def test_case_files_name_a_schema_that_is_there() -> None:
    """An editor completes keys from it."""
    files, wrong = sorted((ROOT / "cases").rglob("*.yaml")), []
    for path in files:
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        schema = first.removeprefix("# yaml-language-server: $schema=")
        if schema == first or not (path.parent / schema).is_file():
            wrong.append(
                f"{path}: its first line must be '# yaml-language-server: $schema=…' with the path of a schema"
            )
    assert files and wrong == []


def test_the_package_under_test_is_that_of_the_checkout_or_one_like_it() -> None:
    """Installed without -e, these tests would otherwise draw another house than the one that runs."""
    assert modules(Path(conformance.__file__).parent).keys() == modules(PACKAGE).keys()


# What the checks above would see, on houses that are wrong.


@pytest.fixture
def house(tmp_path: Path) -> Path:
    files = {
        "house/__init__.py": "",
        "house/ground/__init__.py": '"""The ground."""\n',
        "house/ground/stones.py": "import json\n",
        "house/walls/__init__.py": "",
        "house/walls/wall.py": "from house.ground import stones\nfrom house.ground.stones import lay\n",
        "house/roof/__init__.py": "",
        "house/roof/tiles.py": "import house.walls.wall\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "house"


def test_imports_are_seen_however_they_are_written(house: Path) -> None:
    assert between(house) == {"ground": set(), "walls": {"ground"}, "roof": {"walls"}}
    assert floor("roof", between(house)) == 3
    inside = "def late():\n    if True:\n        from house.roof import tiles\n"
    (house / "ground" / "stones.py").write_text(inside, encoding="utf-8")
    assert between(house)["ground"] == {"roof"}
    assert circles(between(house)) == ["ground", "roof", "walls"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == ["b", "c"]  # and not what stands above


def test_what_the_table_says_otherwise_is_told_with_its_place(house: Path) -> None:
    drawn = {"roof": {"walls", "ground"}, "walls": {"ground"}, "ground": set()}
    assert mismatches(house, drawn | {"roof": {"walls"}}) == []
    assert mismatches(house, drawn) == [
        "roof: the table of rooms in docs/design.md says that it imports ground, and nothing does"
    ]
    assert mismatches(house, drawn | {"roof": {"walls"}, "walls": set()}) == [
        "house/walls/wall.py imports ground: in the table of rooms in docs/design.md, walls may not"
    ]
    assert mismatches(house, {"walls": {"ground"}, "ground": set(), "cellar": set()})[:2] == [
        "roof: in the table of rooms in docs/design.md there is no such room",
        "cellar: the table of rooms in docs/design.md has it, and it is not there",
    ]


def test_a_loose_module_is_a_room_of_its_own(house: Path) -> None:
    (house / "loose.py").write_text("from house import walls\n", encoding="utf-8")
    assert between(house)["loose"] == {"walls"}


def test_a_long_file_is_seen(house: Path) -> None:
    (house / "roof" / "tiles.js").write_text("//\n" * (MOST_LINES + 1), encoding="utf-8")
    assert long_files(house) == [f"roof/tiles.js has {MOST_LINES + 1} lines, and {MOST_LINES} are allowed"]


def test_the_table_is_read_as_it_stands() -> None:
    text = (
        "| room | for | imports |\n| --- | --- | --- |\n| `roof` | rain | `walls`, `ground` |\n| `ground` | all | |\n"
    )
    assert drawn(text) == {"roof": {"walls", "ground"}, "ground": set()}
