"""Wrong solutions, derived from the reference: the replies of the simulated endpoint that have to fail.

Each function returns a complete module. The same task (and draw) always gives the same text.
"""

import ast
import hashlib
from collections.abc import Iterator

from agentdyno.errors import UserError
from agentdyno.tasks.task import Task

_PERTURBATIONS = {
    "bool": ("not result", "str(result)"),
    "int": ("result + 1", "result - 1", "10 * result + 1", "str(result)"),
    "float": ("result + 1.0", "result - 1.0", "result + 10.0"),
    "str": ("result + ' '", "' ' + result", "repr(result)", "result + '\\n'"),
    "list": ("result + [0]", "[0] + result", "result[:-1]", "[result]"),
    "tuple": ("result + (0,)", "(0,) + result", "result[:-1]"),
    "dict": ("list(result.items())", "sorted(result)", "[result]"),
    "set": ("sorted(result)", "len(result)"),
    "unknown": ("[result]", "(result, 0)", "{'result': result}"),
}
"""For each kind of value that an entry point returns: expressions that differ from every `result`.

Only an empty value equals its `result[:-1]`, and every task's tests check values that are not empty as well.
"""

_RETURNED_BY = {
    "all": "bool",
    "any": "bool",
    "isinstance": "bool",
    "len": "int",
    "ord": "int",
    "int": "int",
    "float": "float",
    "str": "str",
    "chr": "str",
    "join": "str",
    "list": "list",
    "sorted": "list",
    "tuple": "tuple",
    "dict": "dict",
    "set": "set",
}


def wrong_answer(task: Task, draw: int) -> str:
    """A module that runs and answers wrongly; `draw` chooses how; consecutive draws differ if possible.

    Every return of the entry point gives a changed value. An entry point that returns nothing works in place,
    so it gets copies of its arguments. Raises UserError if the task has no usable reference.
    """
    module, function = _parse(task)
    returned = [node.value for node in _returns(function) if node.value is not None]
    if _uses(module, task.entry_point):
        # A change at every level of a recursion could give the right answer again, or no answer at all.
        function = _add_caller(module, function)
    if not returned:
        _work_on_copies(module, function)
    else:
        choices = _PERTURBATIONS[_kind(function, returned)]
        start = int.from_bytes(hashlib.sha256(task.task_id.encode()).digest()[:4])
        expression = choices[(start + draw) % len(choices)]
        for node in _returns(function):
            if not (node.value is None or _is_none(node.value)):
                node.value = _substitute(expression, node.value)
    return _source(module)


def raising(task: Task) -> str:
    """A module whose entry point raises NameError, because it calls an undefined function."""
    module, function = _parse(task)
    _prepend(function, f"check_{task.entry_point}_arguments()")
    return _source(module)


def wrong_name(task: Task) -> str:
    """The reference with the entry point under another name."""
    module, _ = _parse(task)
    _rename(module, task.entry_point, f"solve_{task.entry_point}")
    return _source(module)


def syntax_error(task: Task) -> str:
    """The reference without the colon that ends the entry point's signature."""
    module, _ = _parse(task)
    lines = _source(module).split("\n")
    signature = next(index for index, line in enumerate(lines) if line.startswith(f"def {task.entry_point}("))
    lines[signature] = lines[signature].removesuffix(":")
    return "\n".join(lines)


def endless_loop(task: Task) -> str:
    """A module whose entry point never returns: a bisection that stops halving."""
    module, function = _parse(task)
    _prepend(function, "low, high = 0, 1\nwhile low < high:\n    low = (low + high) // 2")
    return _source(module)


def _parse(task: Task) -> tuple[ast.Module, ast.FunctionDef]:
    if task.reference is None:
        raise UserError(
            f"task {task.task_id} has no reference to derive wrong answers from; add one to the dataset"
        )
    try:
        module = ast.parse(task.reference)
    except SyntaxError as error:
        raise UserError(
            f"task {task.task_id}: its reference is not Python (line {error.lineno}: {error.msg}); correct it"
        ) from None
    # Python uses the last definition.
    for node in reversed(module.body):
        if isinstance(node, ast.FunctionDef) and node.name == task.entry_point:
            return module, node
    raise UserError(
        f"task {task.task_id}: its reference does not define {task.entry_point!r}; correct one of the two"
    )


def _source(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node)) + "\n"


def _returns(function: ast.FunctionDef) -> Iterator[ast.Return]:
    """The return statements of the function, without those of functions inside it."""
    pending: list[ast.AST] = list(reversed(function.body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending.extend(reversed(list(ast.iter_child_nodes(node))))


def _kind(function: ast.FunctionDef, returned: list[ast.expr]) -> str:
    """The kind of value that the function returns: from its annotation, else from its return statements."""
    if function.returns is not None:
        annotated = function.returns
        name = annotated.value if isinstance(annotated, ast.Subscript) else annotated
        kind = name.id.lower() if isinstance(name, ast.Name) else "unknown"
    else:
        kinds = {_kind_of(value) for value in returned}
        kind = kinds.pop() if len(kinds) == 1 else "unknown"
    return kind if kind in _PERTURBATIONS else "unknown"


def _kind_of(value: ast.expr) -> str:
    match value:
        case ast.Constant():
            return type(value.value).__name__
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return "bool"
        case ast.JoinedStr():
            return "str"
        case ast.List() | ast.ListComp():
            return "list"
        case ast.Tuple():
            return "tuple"
        case ast.Dict() | ast.DictComp():
            return "dict"
        case ast.Set() | ast.SetComp():
            return "set"
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return _RETURNED_BY.get(name, "unknown")
        case _:
            return "unknown"


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _substitute(expression: str, result: ast.expr) -> ast.expr:
    class Result(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return result if node.id == "result" else node

    substituted: ast.expr = Result().visit(ast.parse(expression, mode="eval").body)
    return substituted


def _prepend(function: ast.FunctionDef, statements: str) -> None:
    start = 0 if ast.get_docstring(function) is None else 1
    function.body[start:start] = ast.parse(statements).body


def _uses(module: ast.Module, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(module))


def _rename(module: ast.Module, name: str, new_name: str) -> None:
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id == name:
            node.id = new_name
        elif isinstance(node, ast.FunctionDef) and node.name == name:
            node.name = new_name


def _add_caller(module: ast.Module, function: ast.FunctionDef) -> ast.FunctionDef:
    """Rename the function, and return a new one of the old name that calls it."""
    name = function.name
    inner = f"compute_{name}"
    _rename(module, name, inner)
    parameters = function.args
    call = ast.Call(
        func=ast.Name(inner, ast.Load()),
        args=[ast.Name(parameter.arg, ast.Load()) for parameter in parameters.posonlyargs + parameters.args],
        keywords=[
            ast.keyword(parameter.arg, ast.Name(parameter.arg, ast.Load()))
            for parameter in parameters.kwonlyargs
        ],
    )
    if parameters.vararg:
        call.args.append(ast.Starred(ast.Name(parameters.vararg.arg, ast.Load()), ast.Load()))
    if parameters.kwarg:
        call.keywords.append(ast.keyword(None, ast.Name(parameters.kwarg.arg, ast.Load())))
    caller = ast.FunctionDef(name, parameters, [ast.Return(call)], [], function.returns)
    module.body.append(caller)
    return caller


def _work_on_copies(module: ast.Module, function: ast.FunctionDef) -> None:
    names = [parameter.arg for parameter in function.args.posonlyargs + function.args.args]
    _prepend(function, "\n".join(f"{name} = deepcopy({name})" for name in names))
    module.body[module.body.index(function) : module.body.index(function)] = ast.parse(
        "from copy import deepcopy"
    ).body
