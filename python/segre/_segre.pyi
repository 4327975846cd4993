from collections.abc import Callable
from typing import Any, Optional, final

__all__ = [
    "Data",
    "Energy",
    "Fitted",
    "Gaps",
    "Predicted",
    "Randomized",
    "Rows",
    "__version__",
    "fit",
    "has_threads",
    "load",
    "quality",
    "set_threads",
]

__version__: str

@final
class Data:
    @staticmethod
    def source(name: str) -> Data: ...
    @staticmethod
    def table(table: Any) -> Data: ...
    @staticmethod
    def array(bytes: bytes) -> Data: ...

@final
class Rows:
    def __len__(self) -> int: ...
    def notes(self) -> list[str]: ...
    def is_table(self) -> bool: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...
    def labels(self) -> tuple[bytes, list[int]]: ...

@final
class Gaps:
    def __len__(self) -> int: ...
    def unknown(self) -> int: ...
    def and_given(self, given: Gaps) -> Gaps: ...
    def notes(self) -> list[str]: ...

@final
class Predicted:
    def categories(self) -> list[str]: ...
    def probabilities(self) -> bytes: ...
    def report(self) -> str: ...
    def is_number(self) -> bool: ...
    def column(self, what: str) -> Rows: ...
    def means(self) -> bytes: ...

@final
class Fitted:
    def describe(self) -> str: ...
    def sample(
        self,
        count: int,
        label: Optional[int],
        guidance: float,
        settings: str,
        seed: Optional[int],
        callback: Optional[Callable[[str], object]],
    ) -> Rows: ...
    def complete(
        self,
        gaps: Gaps,
        draws: int,
        settings: str,
        seed: Optional[int],
        callback: Optional[Callable[[str], object]],
    ) -> Rows: ...
    def given(self, values: list[tuple[str, str]]) -> Gaps: ...
    def gaps(self, data: Data, learned: bool, unseen: str) -> Gaps: ...
    def scores(
        self, data: Data, asked: str, unseen: str, callback: Optional[Callable[[str], object]]
    ) -> tuple[bytes, bytes, bytes, str]: ...
    def fill(
        self,
        gaps: Gaps,
        how: str,
        draws: int,
        settings: str,
        seed: Optional[int],
        callback: Optional[Callable[[str], object]],
    ) -> Rows: ...
    def predict(self, gaps: Gaps, column: str, callback: Optional[Callable[[str], object]]) -> Predicted: ...
    def marginals(
        self, gaps: Gaps, callback: Optional[Callable[[str], object]]
    ) -> list[tuple[str, list[str], bytes]]: ...
    def evaluate(
        self, data: Optional[Data], unseen: str, callback: Optional[Callable[[str], object]]
    ) -> tuple[str, list[str]]: ...
    def report(self, title: str, history: str, callback: Optional[Callable[[str], object]]) -> str: ...
    def quality(
        self,
        synthetic: Optional[Data],
        target: Optional[str],
        seed: Optional[int],
        callback: Optional[Callable[[str], object]],
    ) -> str: ...
    def with_data(self, data: Data) -> Fitted: ...
    def save(self, folder: Any) -> None: ...

@final
class Energy:
    @property
    def source(self) -> str: ...
    def __new__(cls, source: str) -> Energy: ...
    def cardinalities(self) -> list[int]: ...
    def energy(self, configuration: list[int]) -> float: ...
    def infer(self, method: str, memory: int, callback: Optional[Callable[[str], object]]) -> str: ...
    def fit(
        self,
        settings: list[str],
        data_free: bool,
        samples_from: Optional[str],
        samples: Optional[int],
        memory: int,
        callback: Optional[Callable[[str], object]],
    ) -> tuple[Fitted, Optional[BaseException]]: ...
    def fit_randomized(
        self,
        recipe: str,
        samples_from: Optional[str],
        samples: Optional[int],
        memory: int,
        out: Any,
        force: bool,
        callback: Optional[Callable[[str], object]],
    ) -> tuple[Randomized, Optional[BaseException]]: ...

@final
class Randomized:
    @staticmethod
    def load(folder: Any) -> Randomized: ...
    def parameters(self) -> int: ...
    def sample(self, count: int, seed: int, callback: Optional[Callable[[str], object]]) -> Rows: ...

def fit(
    data: Data,
    settings: list[str],
    recipe: Optional[tuple[str, str]],
    reading: str,
    columns_as: dict[str, str],
    kinds: Any,
    weights: Optional[bytes],
    test_data: Optional[str],
    labels: Optional[tuple[str, Optional[str]]],
    out: Any,
    force: bool,
    resume: bool,
    callback: Optional[Callable[[str], object]],
) -> tuple[Fitted, Optional[BaseException]]: ...
def load(folder: Any) -> Fitted: ...
def quality(
    real: Data,
    synthetic: Data,
    held_out: Optional[Data],
    reading: str,
    columns_as: dict[str, str],
    kinds: Any,
    target: Optional[str],
    seed: int,
    callback: Optional[Callable[[str], object]],
) -> str: ...
def set_threads(count: int) -> None: ...
def has_threads() -> bool: ...
