"""Holds every source file to the rules of the house: size, docstrings, and imports that only point down."""

import ast
import pathlib

import pytest

from support import source

FILE_CEILING = 800
FUNCTION_CEILING = 60
# Third-party modules that one named file may import inside a function, because they are heavy or may be missing.
LAZY = ("cupy", "cupyx", "pynvml", "tensorboard", "rich", "ml_dtypes", "threadpoolctl", "ray")

package_files = pytest.mark.parametrize("path", source.package_files(), ids=source.name)
all_files = pytest.mark.parametrize("path", source.package_files() + source.script_files(), ids=source.name)


@all_files
def test_files_and_functions_stay_short(path: pathlib.Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_CEILING
    sizes = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in source.functions(source.parse(path))}
    assert {name: size for name, size in sizes.items() if size > FUNCTION_CEILING} == {}


@all_files
def test_every_module_says_what_it_is(path: pathlib.Path) -> None:
    assert ast.get_docstring(source.parse(path))


@package_files
def test_imports_inside_the_package_are_relative_and_point_down(path: pathlib.Path) -> None:
    parts = path.relative_to(source.ROOT).parts
    floor = source.FLOORS.index(parts[0]) if len(parts) > 1 else len(source.FLOORS)
    for node in source.imports(source.parse(path)):
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] != "millstream" for alias in node.names), ast.unparse(node)
        elif node.level == 0:
            assert (node.module or "").split(".")[0] != "millstream", ast.unparse(node)
        else:
            target = source.relative_target(path, node)
            names = [target[0]] if target else [alias.name for alias in node.names]
            above = [name for name in names if name in source.FLOORS and source.FLOORS.index(name) > floor]
            assert not above, ast.unparse(node)


@package_files
def test_no_import_hides_in_a_function(path: pathlib.Path) -> None:
    for function in source.functions(source.parse(path)):
        for node in source.imports(function):
            relative = isinstance(node, ast.ImportFrom) and node.level > 0
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            lazy = all(module.split(".")[0] in LAZY for module in modules)
            assert lazy and not relative, f"line {node.lineno}, in {function.name}: {ast.unparse(node)}"


def test_only_the_gpu_device_imports_cupy() -> None:
    importers = {
        source.name(path)
        for path in source.package_files()
        for node in source.imports(source.parse(path))
        if any(name.split(".")[0] in ("cupy", "cupyx", "cupy_backends") for name in imported(node))
    }
    assert importers <= {"devices/gpu.py"}


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if node.level == 0 else []
