"""The package's source files as parsed trees, for the tests of the architecture."""

import ast
import functools
import pathlib
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parents[2]
FLOORS = ("devices", "ops", "placement", "engine")
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def parse(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def package_files() -> list[pathlib.Path]:
    """Returns the package's Python files, lowest floor first."""
    below = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
    return [*below, ROOT / "__init__.py"]


def script_files() -> list[pathlib.Path]:
    return sorted((ROOT / "scripts").glob("*.py"))


def name(path: pathlib.Path) -> str:
    """Returns the path as a test's id: `ops/core/graph.py`."""
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    return (node for node in ast.walk(tree) if isinstance(node, FunctionNode))


def imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def relative_target(path: pathlib.Path, node: ast.ImportFrom) -> tuple[str, ...]:
    """Returns where a relative import points, below the root: `from ..ops.core import x` gives ("ops", "core")."""
    package = path.relative_to(ROOT).parent.parts
    climbed = package[: len(package) - (node.level - 1)]
    return (*climbed, *(node.module.split(".") if node.module else ()))
