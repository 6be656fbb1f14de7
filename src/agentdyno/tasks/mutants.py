"""Operator mutants of a reference solution, which measure how strong a task's tests are.

The operators are the classic ones of mutation testing (DeMillo, Lipton and Sayward, "Hints on test data
selection", 1978; Offutt et al., "An experimental determination of sufficient mutant operators", 1996):
replaced relations, arithmetic and constants, negated conditions, dropped statements.
"""

import ast
from collections.abc import Iterator
from copy import copy
from typing import TypeVar

_RELATIONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}

_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}

_CALLS = {"min": "max", "max": "min", "all": "any", "any": "all"}

_Node = TypeVar("_Node", bound=ast.AST)


def mutants(reference: str, entry_point: str) -> Iterator[str]:
    """Every module that differs from `reference` in one operator, constant, condition or statement.

    Mutants of the entry point come first; within a function they have the order of the source. Docstrings,
    signatures and imports stay. Raises SyntaxError if the reference is not Python.
    """
    module = ast.parse(reference)
    seen = {ast.unparse(module)}
    for function in sorted(module.body, key=lambda node: getattr(node, "name", None) != entry_point):
        for parent, field, index, node in _places(function):
            for alternative in _alternatives(node):
                _put(parent, field, index, alternative)
                text = ast.unparse(ast.fix_missing_locations(module)) + "\n"
                _put(parent, field, index, node)
                if text not in seen:
                    seen.add(text)
                    yield text


_Place = tuple[ast.AST, str, int | None, ast.AST]


def _places(parent: ast.AST) -> Iterator[_Place]:
    """Where a node below `parent` can be replaced: its parent, the field, the index if that is a list."""
    for field, value in ast.iter_fields(parent):
        if field in ("args", "returns", "annotation", "decorator_list") and not isinstance(parent, ast.Call):
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST) and not _is_docstring(node):
                yield parent, field, index, node
                yield from _places(node)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _alternatives(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[relation]):
            for replacement in _RELATIONS[type(relation)]:
                yield _with(node, ops=[replacement()])
        case ast.Compare(ops=relations):
            for index, relation in enumerate(relations):
                for replacement in _RELATIONS[type(relation)]:
                    yield _with(node, ops=[*relations[:index], replacement(), *relations[index + 1 :]])
        case ast.BinOp(op=operation) if type(operation) in _ARITHMETIC:
            yield _with(node, op=_ARITHMETIC[type(operation)]())
        case ast.BoolOp(op=operation):
            yield _with(node, op=ast.And() if isinstance(operation, ast.Or) else ast.Or())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Constant(value=str(value)):
            yield ast.Constant(value[1:] if value else "?")
        case ast.Call(func=ast.Name(id="range"), args=arguments):
            stop = 0 if len(arguments) == 1 else 1
            for operation in (ast.Add(), ast.Sub()):
                moved = ast.BinOp(arguments[stop], operation, ast.Constant(1))
                yield _with(node, args=[*arguments[:stop], moved, *arguments[stop + 1 :]])
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield _with(node, func=ast.Name(_CALLS[name], ast.Load()))
        case ast.If(test=condition) | ast.While(test=condition) | ast.IfExp(test=condition):
            yield _with(node, test=ast.UnaryOp(ast.Not(), condition))
        case ast.comprehension(ifs=[condition, *others]):
            yield _with(node, ifs=others)
            yield _with(node, ifs=[ast.UnaryOp(ast.Not(), condition), *others])
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.AugAssign(op=operation) if type(operation) in _ARITHMETIC:
            yield _with(node, op=_ARITHMETIC[type(operation)]())
            yield ast.Pass()
        case ast.Assign() | ast.Expr() | ast.Delete() | ast.Raise():
            yield ast.Pass()


def _with(node: _Node, **fields: object) -> _Node:
    changed = copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
