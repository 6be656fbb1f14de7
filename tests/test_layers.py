"""Imports point downwards only: docs/architecture.md has the layers, and this test holds the code to it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agentdyno.project import ROOT

SOURCE = ROOT / "src" / "agentdyno"

LAYERS = (
    ("__main__",),
    ("cli",),
    ("commands",),
    ("compare",),
    ("report",),
    ("trace",),
    ("runner",),
    ("calibration", "conformance"),
    ("results",),
    ("endpoint",),
    ("analysis",),
    ("runtimes", "tasks", "verifiers", "rundata"),
    ("process",),
    ("measure",),
    ("options", "format", "sealed"),
    ("files", "reading"),
    ("errors", "project", "shape"),
)
"""From the top down. What stands in one layer does not import its neighbours."""

LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
LIBRARY = "__init__"
"""The package itself: what the library offers, of which nothing inside imports more than the version."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import of one of our modules by another, and where it stands."""

    file: Path
    line: int
    importer: str
    imported: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.importer} imports {self.imported}"


def imports(source: Path) -> Iterator[Import]:
    """Every import of our own modules below `source`, those for type checkers alone among them."""
    for file in sorted(source.rglob("*.py")):
        if file.name.endswith("_tests.py"):  # tests of built-in tasks are data, which nobody imports
            continue
        importer = ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [
                    _module(source, f"{node.module}.{alias.name}")
                    for alias in node.names
                    if (node.module, alias.name) != ("agentdyno", "__version__")
                ]
            else:
                continue
            for name in dict.fromkeys(names):
                if name == "agentdyno" or name.startswith("agentdyno."):
                    yield Import(file, node.lineno, importer, name.partition(".")[2] or LIBRARY)


def _module(source: Path, name: str) -> str:
    """The module that `from PACKAGE import NAME` reads: NAME itself, or the one that NAME is defined in."""
    path = source.parent / name.replace(".", "/")
    return name if path.is_dir() or path.with_suffix(".py").exists() else name.rpartition(".")[0]


def upwards(found: Import) -> bool:
    """Whether an import is not one that its layer allows."""
    importer, imported = (name.partition(".")[0] for name in (found.importer, found.imported))
    if importer == LIBRARY:
        return False
    if imported == LIBRARY or imported not in LEVEL:
        return True
    return importer != imported and LEVEL[importer] >= LEVEL[imported]


def circles(found: list[Import]) -> list[list[str]]:
    """Modules that import each other in a ring (Tarjan's strongly connected components of two or more)."""
    graph: dict[str, set[str]] = {}
    for each in found:
        if each.importer != each.imported and each.importer != LIBRARY:
            graph.setdefault(each.importer, set()).add(each.imported)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    rings: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(graph.get(module, ())):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            ring = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(ring) > 1:
                rings.append(ring)

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return rings


def test_imports_point_downwards() -> None:
    wrong = [str(found) for found in imports(SOURCE) if upwards(found)]
    assert not wrong, "\n".join(["imports that point upwards (docs/architecture.md):", *wrong])


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(list(imports(SOURCE))) == []


def test_every_room_has_its_layer() -> None:
    rooms = {
        path.name.removesuffix(".py") for path in SOURCE.iterdir() if path.suffix == ".py" or path.is_dir()
    }
    assert rooms - {LIBRARY, "__pycache__", "py.typed"} == set(LEVEL)


def test_the_check_names_file_and_line_of_an_import_that_points_upwards(tmp_path: Path) -> None:
    source = tmp_path / "agentdyno"
    (source / "analysis").mkdir(parents=True)
    (source / "report").mkdir()
    (source / "report" / "terminal.py").write_text("ABOVE = 1\n")
    (source / "analysis" / "gates.py").write_text(
        "import os\n\nfrom agentdyno.report.terminal import ABOVE\n"
    )
    [found] = filter(upwards, imports(source))
    assert (found.file.name, found.line, found.imported) == ("gates.py", 3, "report.terminal")


def test_the_check_sees_a_circle(tmp_path: Path) -> None:
    source = tmp_path / "agentdyno"
    (source / "analysis").mkdir(parents=True)
    (source / "analysis" / "one.py").write_text("from agentdyno.analysis import other\n")
    (source / "analysis" / "other.py").write_text("from agentdyno.analysis.one import other\n")
    [ring] = circles(list(imports(source)))
    assert sorted(ring) == ["analysis.one", "analysis.other"]
