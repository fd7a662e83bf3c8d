"""Emitting a plan as straight-line Python: one line a step, locals as live values, kernels bound at compile time.

If and While become Python's own `if` and `while`. Every line remembers its step, so that an exception is traced to its
node; values are deleted after their last use. With `trace=True` the same program is emitted with clocks around each step.
Where steps are marked so (`looks.py`), the program looks at its session's `life`: was the session closed, is the run late? A
function has no life and looks at its run: what ends an iterator is a function too, and runs after its session was closed.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from ..runtime import fetching
from ..runtime.buffers import into_kernel, into_ufunc
from ..runtime.life import Life
from .buffers import BufferPlan, into_form, new_arrays
from .direct import direct, with_arrays
from .groups import fused_group
from .ir import CELL, CONSTANT, FEED, LOCAL, READ, Block, Step, Value
from .lower import host_constant

# CPython refuses more than 20 nested blocks in one function.
_DEEPEST = 12
_UNSAFE = re.compile(r"[^\w./:-]")


class Emitter:
    """Writes one program. State: `lines` of source, `names` that it refers to, `step_at` by line number."""

    def __init__(
        self,
        trace: bool = False,
        buffers: BufferPlan | None = None,
        life: Life | None = None,
        part: int = 0,
        give: bool = True,
        looks: bool = True,
    ) -> None:
        # A part of a program begins at a line of its own, and but for the last hands its results on as they are.
        self.lines: list[str] = [""] * part
        self._give = self._given if give else self._value
        self.names: dict[str, Any] = {}
        self.step_at: dict[int, Step] = {}
        self.trace, self.life, self.looks = trace, life, looks
        self.buffers = buffers
        self._bound: dict[int, str] = {}
        self._last: dict[Value, Step] = {}
        self._base = 0

    def program(self, block: Block, feeds: list[Value]) -> str:
        """Return the source of `def plan(run, feeds…)` for a block, `def plan(run, frame, feeds…)` where it has buffers."""
        self._emit(f"def plan(run{', frame' if self.buffers else ''}{''.join(f', {v.name}' for v in feeds)}):", 0)
        self._last = last_uses(block)
        self._block(block, 1)
        results = "".join(f"{self._give(value)}, " for value in block.results)
        if block.looks_last and self.looks:
            self._look(1)
        self._emit(f"return ({results})", 1)
        return "\n".join(self.lines) + "\n"

    # -- lines -----------------------------------------------------------------------------------------------------

    def _emit(self, text: str, depth: int, step: Step | None = None) -> None:
        self.lines.append("    " * depth + text)
        if step is not None:
            self.step_at[len(self.lines)] = step

    def _look(self, depth: int) -> None:
        life = self._bind(self.life, "life") if self.life is not None else None
        self._emit(f"if {life}.ending: {life}.check()" if life else "if run: run.check()", depth)

    def _block(self, block: Block, depth: int) -> None:
        for step in block.steps:
            if step.looks and self.looks:
                self._look(depth)
            self._step(step, depth)
            dead = [v.name for v in self._dying(step)]
            if dead:
                self._emit(f"del {', '.join(dead)}", depth)

    def _dying(self, step: Step) -> list[Value]:
        values = [v for v in dict.fromkeys([*step.flat_args(), *(o for o in step.outputs if o)]) if v.kind == LOCAL]
        return [v for v in values if self._last.get(v) is step and v.dims != ()]

    def _step(self, step: Step, depth: int) -> None:
        if step.blocks:
            self._control(step, depth)
        else:
            comment = f"  # {_described(step)} on {short(step.device.name)}"
            if self.trace:
                self._emit("run.begin()", depth)
            self._emit(self._targets(step) + getattr(self, f"_{step.kind}")(step) + comment, depth, step)
            if self.trace:
                self._emit(f"run.end({self._bind(step)})", depth)

    def _targets(self, step: Step) -> str:
        names = ["_" if v is None else v.name for v in step.outputs]
        if not names or names == ["_"]:
            return ""
        several = len(names) > 1 or step.kind in ("fused", "nest")
        return "".join(f"{n}, " for n in names) + "= " if several else f"{names[0]} = "

    # -- expressions -----------------------------------------------------------------------------------------------

    def _bind(self, thing: Any, hint: str = "k") -> str:
        name = self._bound.get(id(thing))
        if name is None:
            name = self._bound[id(thing)] = f"{hint}_{len(self._bound)}"
            self.names[name] = thing
        return name

    def _value(self, value: Value) -> str:
        if value.kind == READ:
            return f"{self._bind(value.content, 'var')}.read()"
        if value.kind == CELL:
            return self._bind(value.content, "var")
        if value.kind == CONSTANT:
            if value.name not in self.names:
                self.names[value.name] = resident(value)
            return value.name
        return value.name

    def _arguments(self, step: Step) -> list[str]:
        return [
            f"[{', '.join(self._value(v) for v in arg)}]" if isinstance(arg, list) else self._value(arg)
            for arg in step.args
        ]

    def _into(self, step: Step) -> str | None:
        """Return the call of a step's kernel that writes to the run's frame, or None where its result has no buffer."""
        slots = self.buffers and self.buffers.slots(step)
        if not slots:
            return None
        decl, into = step.op.decl, into_form(step)
        if into is not None:
            attrs = {name: step.attrs[name] for name in decl.kernel_attrs}
            call = into_kernel(into, step.device.xp, attrs, slots)
        else:
            assert decl.fuse is not None and slots[0] is not None and step.outputs[0] is not None
            call = into_ufunc(getattr(step.device.xp, decl.fuse.name), slots[0], step.outputs[0].dtype.np_dtype)
        return (
            f"{self._bind(call, re.sub(r'[^a-zA-Z0-9_]', '_', decl.name))}(frame, {', '.join(self._arguments(step))})"
        )

    def _kernel(self, step: Step) -> str:
        into = self._into(step)
        if into is not None:
            return into
        decl, entry = step.op.decl, step.entry
        arguments = self._arguments(step)
        on_cpu = step.device.kind == "CPU"
        known = direct(step, arguments, self._bind)
        if known is not None:
            return known
        structured = any(tensor.dtype.is_quantized for tensor in step.op.inputs)
        if decl.fuse is not None and on_cpu and not structured and step.op.outputs[0].dtype.name != "string":
            arguments = with_arrays(step, arguments, self._bind)
            if decl.fuse.operator and step.op.inputs[0].dtype.base_dtype.name != "bool":
                return decl.fuse.operator.format(*arguments)
            return f"{self._bind(getattr(step.device.xp, decl.fuse.name), decl.fuse.name)}({', '.join(arguments)})"
        assert entry is not None
        attrs = {name: step.attrs[name] for name in decl.kernel_attrs}
        bound: Any = entry.function
        if on_cpu and decl.over is not None and step.args[-1] in self._dying(step):
            # From here on the local refers to a list, and the list alone to the array.
            bound, arguments[-1] = decl.over, f"{arguments[-1]} := [{arguments[-1]}]"
        if decl.takes_context:
            context = f"run.context({self._bind(step.op, 'node')}, {self._bind(step.device, 'device')})"
            arguments = [context, self._bind(step.device.xp, "xp"), *arguments]
            arguments += [f"{name}={self._bind(value, 'attr')}" for name, value in attrs.items()]
        else:
            bound = partial(bound, step.device.xp, **attrs)
        if not on_cpu and not step.device.simulated:
            bound = partial(_activated, step.device, bound)
        name = self._bind(bound, re.sub(r"\W", "_", decl.name))
        return f"{name}({', '.join(arguments)})"

    def _copy(self, step: Step) -> str:
        (value,) = step.args
        source, place = value.device, step.device
        if source.kind == "CPU":
            return f"{self._bind(place, 'device')}.put({self._value(value)})"
        return f"{self._bind(place, 'device')}.receive({self._value(value)}, {self._bind(source, 'device')})"

    def _check(self, step: Step) -> str:
        return self._value(step.args[0])

    def _start(self, step: Step) -> str:
        return f"{self._bind(step.device, 'device')}.get_async({self._value(step.args[0])})"

    def _wait(self, step: Step) -> str:
        return f"{self._value(step.args[0])}.wait()"

    def _fused(self, step: Step) -> str:
        group = fused_group(step)
        slots = self.buffers and self.buffers.slots(step)
        into = f", make=frame.into({slots})" if slots else ""
        return f"{self._bind(group, 'fused')}({', '.join(self._arguments(step))}{into})"

    def _folded(self, step: Step) -> str:
        folded, arguments = step.extra, self._arguments(step)
        slots = self.buffers and self.buffers.slots(step)
        hint = "_".join(re.sub(r"[^a-zA-Z0-9]", "", part.op.type) for part in folded.steps)
        if slots:
            call = into_kernel(folded.kernel, step.device.xp, folded.attrs, slots)
            return f"{self._bind(call, hint)}({', '.join(['frame', *arguments])})"
        call = partial(folded.kernel, step.device.xp, *new_arrays(step), **folded.attrs)
        return f"{self._bind(call, hint)}({', '.join(arguments)})"

    def _nest(self, step: Step) -> str:
        return f"{self._bind(step.extra.call, 'nest')}({', '.join(self._arguments(step))})"

    def _prepare(self, step: Step) -> str:
        return f"{self._bind(step.extra, 'prepare')}({', '.join(self._arguments(step))})"

    def _update(self, step: Step) -> str:
        return f"{self._bind(step.extra, 'update')}({', '.join(self._arguments(step))})"

    def _flag(self, step: Step) -> str:
        return f"{self._bind(step.extra, 'flag')}({', '.join(self._arguments(step))})"

    def _given(self, value: Value) -> str:
        """Return the expression that makes a fetched value the caller's own."""
        if value.kind == CELL:
            return "None"
        give = fetching.give_copy if value.shared or value.kind in (CONSTANT, FEED, READ) else fetching.give
        return f"{self._bind(give, give.__name__)}({self._value(value)})"

    # -- control flow ----------------------------------------------------------------------------------------------

    def _control(self, step: Step, depth: int) -> None:
        """Emit an if or a while; one that is nested deep becomes a function of its own."""
        emit = self._if if step.kind == "if" else self._while
        if depth - self._base < _DEEPEST:
            emit(step, depth)
            return
        name, arguments = f"inner_{len(self.lines)}", ", ".join(["run", *free_names(step)])
        self._emit(f"def {name}({arguments}):", depth)
        base, self._base = self._base, depth + 1
        emit(step, depth + 1)
        self._base = base
        self._emit(f"return ({''.join(f'{v.name}, ' for v in step.outputs if v is not None)})", depth + 1)
        targets = "".join(f"{v.name}, " for v in step.outputs if v is not None)
        self._emit(f"{targets}{'= ' if targets else ''}{name}({arguments})", depth, step)

    def _if(self, step: Step, depth: int) -> None:
        self._emit(f"if {self._value(step.args[0])}:  # {step.op.name}", depth, step)
        for i, block in enumerate(step.blocks):
            if i:
                self._emit("else:", depth)
            self._block(block, depth + 1)
            for target, value in zip(step.outputs, block.results, strict=True):
                assert target is not None
                self._emit(f"{target.name} = {self._value(value)}", depth + 1, step)
            if not block.results and not block.steps:
                self._emit("pass", depth + 1)

    def _while(self, step: Step, depth: int) -> None:
        condition, body = step.blocks
        names = [v.name for v in step.outputs if v is not None]
        for target, value in zip(names, step.flat_args(), strict=True):
            self._emit(f"{target} = {self._value(value)}", depth, step)
        self._emit(f"while True:  # {step.op.name}", depth, step)
        self._emit("if run.stopped: run.check()" if self.life is not None else "run.check()", depth + 1, step)
        self._block(condition, depth + 1)
        self._emit(f"if not {self._value(condition.results[0])}: break", depth + 1, step)
        self._block(body, depth + 1)
        values = [self._value(v) for v in body.results]
        if names:
            self._emit(f"{', '.join(names)} = {', '.join(values)}", depth + 1, step)


def _described(step: Step) -> str:
    """Return the name and type of a step's node; of a group's how many there are besides."""
    more = f" and {len(step.extra.steps) - 1} before it" if step.kind == "nest" else ""
    return f"{_UNSAFE.sub('_', step.op.name)} ({step.op.type}){more}"


def _activated(device: Any, bound: Any, *args: Any, **attrs: Any) -> Any:
    with device.activate():
        return bound(*args, **attrs)


def resident(value: Value) -> Any:
    """Return a constant as the array that stays on its device for the life of the plan."""
    return host_constant(value.content) if value.device.kind == "CPU" else value.device.put(value.content)


def short(device: str) -> str:
    """Return the type and index of a full device name, such as `GPU:0`."""
    return device.rpartition("device:")[2]


def last_uses(block: Block) -> dict[Value, Step]:
    """Return for each value made in a block the step of that block after which nothing needs it."""
    last: dict[Value, Step] = {}
    _last_uses(block, last)
    for value in block.results:
        last.pop(value, None)
    return last


def _last_uses(block: Block, last: dict[Value, Step]) -> None:
    made_here: set[Value] = set()
    for step in block.steps:
        made_here.update(v for v in step.outputs if v is not None)
        for value in [*step.flat_args(), *(v for v in step.outputs if v is not None), *inner_uses(step)]:
            if value in made_here:
                last[value] = step
        for inner in step.blocks:
            _last_uses(inner, last)
            for value in inner.results:
                if value not in made_here:
                    last.pop(value, None)
    for step in block.steps:
        if step.kind in ("if", "while"):
            for made in step.outputs:
                if made is not None and last.get(made) is step:
                    last.pop(made)


def inner_uses(step: Step) -> list[Value]:
    """Return the values that the blocks of a step use."""
    used: list[Value] = []
    for block in step.blocks:
        used.extend(block.results)
        for inner in block.steps:
            used.extend(inner.flat_args())
            used.extend(inner_uses(inner))
    return used


def free_names(step: Step) -> list[str]:
    """Return the names of the locals from outside that an if or a while uses."""
    made = {v for v in step.outputs if v is not None} | made_inside(step)
    used = dict.fromkeys(v for v in [*step.flat_args(), *inner_uses(step)] if v.kind in (LOCAL, FEED) and v not in made)
    return [v.name for v in used]


def made_inside(step: Step) -> set[Value]:
    """Return the values that the blocks of a step make."""
    made: set[Value] = set()
    for block in step.blocks:
        for inner in block.steps:
            made.update(v for v in inner.outputs if v is not None)
            made |= made_inside(inner)
    return made
