"""Runs something at a chosen instruction of the interpreter, in the code of chosen modules.

Between two instructions CPython may run a signal handler or a finaliser, or raise an
exception: tests go through all of them, one by one.
"""

from __future__ import annotations

import dis
import functools
import opcode
import sys
from types import CodeType, FrameType, ModuleType
from typing import Any, Callable, Optional

Action = Callable[[FrameType], None]

# Behind these 3.9 goes on without looking for signals.
_FAST = {"LOAD_FAST", "LOAD_CONST", "STORE_FAST", "POP_TOP", "ROT_TWO", "ROT_THREE", "DUP_TOP"}


class Instructions:
    """Counts instructions in the code of modules, and acts once before the one numbered `at`."""

    def __init__(
        self,
        modules: tuple[ModuleType, ...],
        at: int,
        action: Action,
        *,
        signals_only: bool = False,  # count only where a signal can be handled
    ) -> None:
        self._files = {module.__file__ for module in modules}
        self._at = at
        self._action = action
        self._signals_only = signals_only
        self._last: dict[FrameType, int] = {}
        self.seen = 0
        self.where = ""  # of the action: function, line and offset, for messages
        self.signals = False  # whether a signal can be handled there

    def run(self, call: Callable[[], Any]) -> Any:
        before = sys.gettrace()
        if sys.version_info[:2] == (3, 12):
            # It traces instructions only if somebody has asked for that before tracing begins.
            sys._getframe().f_trace_opcodes = True
        sys.settrace(self._enter)
        try:
            return call()
        finally:
            sys.settrace(before)
            self._last.clear()

    def resume(self, frame: FrameType) -> None:
        """Begins in the middle of frame; an exception from an action has ended the tracing."""
        frame.f_trace = self._trace  # first: 3.13 looks at it when opcodes are asked for
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        sys.settrace(self._enter)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Optional[Any]:
        if frame.f_code.co_filename not in self._files:
            return None
        frame.f_trace = self._trace
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._trace

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode" and not self.where:
            before, self._last[frame] = self._last.get(frame), frame.f_lasti
            signals = self._signals(frame.f_code, before, frame.f_lasti)
            self.seen += signals or not self._signals_only
            if self.seen == self._at + 1:
                self.where = f"{frame.f_code.co_name}:{frame.f_lineno}+{frame.f_lasti}"
                self.signals = signals
                self._action(frame)
        return self._trace

    @staticmethod
    @functools.lru_cache(maxsize=None)
    def _signals(code: CodeType, before: Optional[int], offset: int) -> bool:
        if before is None:
            return True
        same_handler = _handler(code, before) == _handler(code, offset)
        return same_handler and _looks_for_signals(code.co_code[before])


def _handler(code: CodeType, offset: int) -> Optional[int]:
    """Where an exception at offset goes to, since 3.11: signals come inside of an instruction,
    and a trace function before the next one, which may lie behind the `try` or `with`."""
    if sys.version_info < (3, 11):
        return None
    for entry in dis._parse_exception_table(code):  # type: ignore[attr-defined]
        if entry.start <= offset < entry.end:
            return int(entry.target)
    return None


def _looks_for_signals(operation: int) -> bool:
    """Whether the interpreter may handle signals behind an instruction."""
    name = opcode.opname[operation]
    if sys.version_info < (3, 10):
        return name not in _FAST
    return name != "PRECALL" and ("CALL" in name or "JUMP" in name or name == "RESUME")
