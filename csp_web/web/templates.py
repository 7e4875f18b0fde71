"""Templates that cost less: the same pages, written out with fewer steps (``docs/decisions/0011-fast-pages.md``).

Three things make a page of fifty rows slow in Jinja: every cell climbs through the generators of all layouts, every
value is wrapped in ``Markup`` only to be joined into the page, and every function is asked whether it wants to know the
template. Here a loop is gathered before it is handed up, a value that is written out is escaped to plain text, and a
global function that wants to know nothing is called as it is.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from inspect import isroutine
from keyword import iskeyword
from typing import Any

from flask.templating import Environment as FlaskEnvironment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE
from markupsafe import Markup, escape

try:
    from markupsafe._speedups import _escape_inner
except ImportError:  # no compiled part on this system: a little slower, the same text

    def _escape_inner(text: str, /) -> str:
        return str(escape(text))


def escaped(value: Any) -> str:
    """A value as it is written into a page: what ``markupsafe.escape`` says, as plain text."""
    kind = type(value)
    if kind is str:
        return _escape_inner(value)
    if kind is Markup:
        return value
    if kind is int:
        return str(value)
    return str(escape(value))


def ready(value: Any) -> str | None:
    """Text as it is written into a page, to be used for every row; None for what may say something else each time."""
    return escaped(value) if type(value) in {str, Markup} else None


class Generator(CodeGenerator):
    """Writes templates as Python."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ready: dict[str, str] = {}  # names that the loop in hand never assigns, and where their text is ready

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
            return
        if isinstance(node, nodes.Name):
            ref = frame.symbols.ref(node.name)
            if ref in self._ready:
                self.write(f"{self._ready[ref]} if {self._ready[ref]} is not None else ")
            else:
                self.write(f"environment.plain({ref}) if type({ref}) is str else ")
        self.write("environment.escaped(")
        if finalize.src is not None:
            self.write(finalize.src)

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802 -- Jinja's
        if forward_caller or not self._is_plain(node, frame):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for argument in [*node.args, *node.kwargs]:
            self.visit(argument, frame)
            self.write(", ")
        self.write(")")

    def _is_plain(self, node: nodes.Call, frame: Frame) -> bool:
        """Whether a global function is called that wants nothing of the template; not a macro, not a parameter."""
        if not isinstance(node.node, nodes.Name) or node.dyn_args or node.dyn_kwargs:
            return False
        called = self.environment.globals.get(node.node.name)
        load = frame.symbols.find_load(frame.symbols.ref(node.node.name))
        is_global = load is not None and load[0] == VAR_LOAD_RESOLVE
        is_function = isroutine(called) and not hasattr(called, "jinja_pass_arg")
        return is_global and is_function and not any(iskeyword(argument.key) for argument in node.kwargs)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 -- Jinja's name
        if frame.require_output_check:
            super().visit_For(node, frame)
            return
        gathered = frame
        if frame.buffer is None:
            gathered = frame.soft()
            self.buffer(gathered)
        outermost = not self._ready
        if outermost:
            self._make_ready(node, frame)
        super().visit_For(node, gathered)
        if outermost:
            self._ready = {}
        if frame.buffer is None:
            self.writeline(f"yield concat({gathered.buffer})", node)

    def _make_ready(self, loop: nodes.For, frame: Frame) -> None:
        """Escape once what every row of a loop says: the words of its columns."""
        if any(loop.find_all((nodes.Macro, nodes.Import, nodes.FromImport))):
            return
        assigned = {name.name for name in loop.find_all(nodes.Name) if name.ctx != "load"}
        written = (child for output in loop.find_all(nodes.Output) for child in output.nodes)
        for name in sorted({child.name for child in written if isinstance(child, nodes.Name)} - assigned):
            ref = frame.symbols.find_ref(name)
            if ref is not None:
                self._ready[ref] = self.temporary_identifier()
                self.writeline(f"{self._ready[ref]} = environment.ready({ref})")


class Environment(FlaskEnvironment):
    """Flask's templates, written out by ``Generator``."""

    code_generator_class = Generator
    escaped = staticmethod(escaped)
    plain = staticmethod(_escape_inner)
    ready = staticmethod(ready)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The names that every template knows: one dictionary, for every context counts them anew."""
        return super().make_globals(d) if d else self.globals
