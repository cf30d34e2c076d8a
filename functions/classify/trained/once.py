"""What is made when it is first needed."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Once[T]:
    """Makes it at the first call. What cannot be made is not tried again, and raises the same: a
    model's files do not change while an instance lives."""

    make: Callable[[], T]
    _made: list[T] = field(default_factory=list)
    _broken: Exception | None = None

    def __call__(self) -> T:
        if self._broken:
            raise self._broken.with_traceback(None)
        if not self._made:
            try:
                self._made.append(self.make())
            except Exception as error:
                self._broken = error
                raise
        return self._made[0]
