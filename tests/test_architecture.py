"""The laws of the house, read from the syntax trees of the package."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "autograd_nn"

FLOORS = {
    "errors": 0,
    "lazy": 0,
    "engine": 1,
    "ops": 2,
    "compiler": 3,
    "backends": 3,
    "visualize": 3,
    "transforms": 4,
    "testing": 5,
    "config": 5,
    "random": 5,
    "initializers": 6,
    "regularizers": 6,
    "constraints": 6,
    "activations": 6,
    "utils": 6,
    "layers": 6,
    "losses": 6,
    "metrics": 6,
    "optimizers": 6,
    "callbacks": 6,
    "models": 6,
    "saving": 6,
    "backend": 6,
    "datasets": 6,
    "legacy": 6,
    "tree": 6,
}
TOP = 7
# Keras' rooms may use a neighbour on their own floor; the test for cycles keeps them in order.
NEIGHBOURS_FROM = 5

LATE_PACKAGES = {"concurrent", "numba", "llvmlite", "graphviz", "graphviz_pure", "rich", "safetensors", "PIL", "h5py"}
# (module, what it imports late): each keeps `import autograd_nn` light, and has no other way.
LATE_EXCEPTIONS = {
    ("autograd_nn.engine.tensor", "autograd_nn.engine.autodiff"),
    ("autograd_nn.backends", "autograd_nn.backends.numba"),
}
NOT_AT_IMPORT = LATE_PACKAGES | {"torch", "keras", "jax", "scipy"}
MOST_FOREIGN_MODULES = 270
MOST_LINES = 600
# It looks up no name but those of arrays.
RESTRICTED_UNPICKLER = "autograd_nn.datasets.unpickler"
ENGINE_WITH_NUMPY = {"autograd_nn.engine.spec"}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(file): file for file in sorted((ROOT / PACKAGE).rglob("*.py"))}
every_module = pytest.mark.parametrize("module", FILES)


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def floor(module: str) -> int:
    return FLOORS[room(module)] if room(module) else TOP


def base_of_relative(module: str, node: ast.ImportFrom) -> str:
    parts = module.split(".")
    if FILES[module].name != "__init__.py":
        parts = parts[:-1]
    return ".".join(parts[: len(parts) - node.level + 1])


def targets(module: str, node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules that an import statement names; a name inside a module counts as that module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        base = ".".join(filter(None, [base_of_relative(module, node), base]))
    inner = [f"{base}.{alias.name}" for alias in node.names]
    return [name if name in FILES else base for name in inner]


def imports_within(module: str, root: ast.AST) -> Iterator[str]:
    for node in ast.walk(root):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from targets(module, node)


def imports(module: str) -> set[str]:
    """All imports, those for type checkers included: they too must go down the floors."""
    return set(imports_within(module, tree(module)))


def running_imports(module: str) -> set[str]:
    """The imports that a running program meets: all but those for type checkers."""
    ifs = [node for node in tree(module).body if isinstance(node, ast.If)]
    blocks = [node for node in ifs if ast.unparse(node.test).endswith("TYPE_CHECKING")]
    typing_only = {target for block in blocks for target in imports_within(module, block)}
    return imports(module) - typing_only


def late_imports(module: str) -> set[str]:
    functions = [node for node in ast.walk(tree(module)) if isinstance(node, ast.FunctionDef)]
    return {target for function in functions for target in imports_within(module, function)}


def inside(name: str) -> bool:
    return name.split(".")[0] == PACKAGE


def may_import(module: str, target: str) -> bool:
    if room(module) == room(target) or floor(target) < floor(module):
        return True
    return floor(target) == floor(module) >= NEIGHBOURS_FROM


def test_every_room_has_a_floor() -> None:
    assert {room(module) for module in FILES} - {""} <= set(FLOORS)


@every_module
def test_imports_go_down_the_floors(module: str) -> None:
    upward = [target for target in imports(module) if inside(target) and not may_import(module, target)]
    assert not upward


def test_no_import_cycle() -> None:
    # A package's __init__ names its modules, which is no cycle: so a module's own package is left out.
    def needs(module: str) -> set[str]:
        early = running_imports(module) - late_imports(module)
        return {target for target in early if inside(target) and not f"{module}.".startswith(f"{target}.")}

    try:
        TopologicalSorter({module: needs(module) for module in FILES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@every_module
def test_late_imports_are_of_heavy_packages_only(module: str) -> None:
    late = {target for target in late_imports(module) if target.split(".")[0] not in LATE_PACKAGES}
    assert late <= {target for source, target in LATE_EXCEPTIONS if source == module}


@every_module
def test_only_spec_knows_numpy_in_the_engine(module: str) -> None:
    uses_numpy = any(target.split(".")[0] == "numpy" for target in running_imports(module))
    assert room(module) != "engine" or not uses_numpy or module in ENGINE_WITH_NUMPY


@every_module
def test_no_file_over_the_wall(module: str) -> None:
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@every_module
def test_no_file_that_only_reexports(module: str) -> None:
    def carries(node: ast.stmt) -> bool:
        if isinstance(node, ast.Import | ast.ImportFrom):
            return False
        if isinstance(node, ast.Expr):
            return not isinstance(node.value, ast.Constant)
        return not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")

    assert FILES[module].name == "__init__.py" or any(map(carries, tree(module).body))


@every_module
def test_nothing_dangerous_is_called(module: str) -> None:
    forbidden = {"fastmath=True", "allow_pickle=True", "shell=True"}
    keywords = [ast.unparse(node) for node in ast.walk(tree(module)) if isinstance(node, ast.keyword)]
    assert not forbidden & set(keywords)
    pickling = {"pickle", "marshal", "shelve"} & {target.split(".")[0] for target in imports(module)}
    assert not pickling or module == RESTRICTED_UNPICKLER


def test_exec_stands_in_one_function_at_most() -> None:
    places = [
        f"{module}:{node.lineno}"
        for module in FILES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("exec", "eval")
    ]
    assert len(places) <= 1, places


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")
    folders = [ROOT / name for name in (PACKAGE, "tests", "tools", "examples")]
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    assert not [str(file) for file in files if words.search(file.read_text(encoding="utf-8"))]


def test_import_is_light() -> None:
    code = f"import sys, {PACKAGE}; print('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert not NOT_AT_IMPORT & set(loaded)
    assert len([name for name in loaded if not inside(name)]) <= MOST_FOREIGN_MODULES
