"""The syntax trees of the functions that kernels call, and the same functions compiled by Numba."""

import ast
import inspect
import linecache
import types
from collections.abc import Callable
from functools import cache
from typing import Any

OPTIONS: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy"}


@cache
def _definitions(path: str) -> dict[tuple[str, int], ast.FunctionDef]:
    """The functions of a file, by name and first line."""
    tree = ast.parse("".join(linecache.getlines(path)), path)
    return {
        (node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])): node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }


@cache
def definition(function: Callable[..., Any]) -> ast.FunctionDef:
    """The syntax tree of a function."""
    code = function.__code__
    found = _definitions(code.co_filename).get((code.co_name, code.co_firstlineno))
    if found is None:
        raise ValueError(f"no source of {code.co_name} in {code.co_filename}")
    return found


@cache
def surroundings(function: Callable[..., Any]) -> dict[str, Any]:
    """What the free names of a function stand for."""
    return {**function.__globals__, **inspect.getclosurevars(function).nonlocals}


@cache
def with_numba(function: Callable[..., Any]) -> Any:
    """The function compiled by Numba, with the functions that it calls."""
    import numba

    free = {name: _numba_value(value) for name, value in inspect.getclosurevars(function).nonlocals.items()}
    cells = tuple(types.CellType(free[name]) for name in function.__code__.co_freevars)
    made = types.FunctionType(function.__code__, function.__globals__, function.__name__, None, cells)
    return numba.njit(**OPTIONS)(made)


def _numba_value(value: Any) -> Any:
    return with_numba(value) if isinstance(value, types.FunctionType) else value
