"""`tf.contrib.learn.preprocessing`: from texts to rows of word ids."""

from __future__ import annotations

import collections
import pickle
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..program.files import GFile

_WORDS = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|[\'\w\-]+", re.UNICODE)


def tokenizer(iterator: Iterable[str]) -> Iterator[list[str]]:
    """Yield the words of each text."""
    for value in iterator:
        yield _WORDS.findall(value)


class CategoricalVocabulary:
    """Words and their ids; 0 is the id of unknown words.

    State: `_mapping` from word to id, `_freq` how often each was seen; nothing is added once frozen.
    """

    def __init__(self, unknown_token: str = "<UNK>", support_reverse: bool = True) -> None:
        self._unknown_token = unknown_token
        self._mapping: dict[Any, int] = {unknown_token: 0}
        self._reverse_mapping: list[Any] | None = [unknown_token] if support_reverse else None
        self._freq: dict[Any, int] = collections.defaultdict(int)
        self._freeze = False

    def __len__(self) -> int:
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """Give unknown words the id 0 from here on, instead of new ids."""
        self._freeze = freeze

    def get(self, category: Any) -> int:
        """Return the id of a word, a new one where it is unknown and the vocabulary is not frozen."""
        if category not in self._mapping:
            if self._freeze:
                return 0
            self._mapping[category] = len(self._mapping)
            if self._reverse_mapping is not None:
                self._reverse_mapping.append(category)
        return self._mapping[category]

    def add(self, category: Any, count: int = 1) -> None:
        """Count a word."""
        if self.get(category) > 0:
            self._freq[category] += count

    def trim(self, min_frequency: int, max_frequency: int = -1) -> None:
        """Keep the words that were seen at least `min_frequency` times, and not as often as `max_frequency` (-1: any)."""
        by_count = sorted(sorted(self._freq.items(), key=lambda item: item[0]), key=lambda item: item[1], reverse=True)
        kept = [
            word for word, count in by_count if count > min_frequency and (max_frequency <= 0 or count < max_frequency)
        ]
        self._mapping = {word: i for i, word in enumerate([self._unknown_token, *kept])}
        self._freq = collections.defaultdict(int, {word: self._freq[word] for word in kept})
        if self._reverse_mapping is not None:
            self._reverse_mapping = [self._unknown_token, *kept]

    def reverse(self, class_id: int) -> Any:
        """Return the word of an id.

        Raises:
          ValueError: when the vocabulary was made without this.
        """
        if self._reverse_mapping is None:
            raise ValueError("This vocabulary wasn't initialized with support_reverse to support reverse() function.")
        return self._reverse_mapping[class_id]


class VocabularyProcessor:
    """Turns texts into rows of word ids, cut or filled with 0 to one length.

    Args:
      max_document_length: the number of ids a row.
      min_frequency: words that are seen less often are unknown.
      vocabulary: a CategoricalVocabulary to use.
      tokenizer_fn: a function from texts to lists of words.
    """

    def __init__(
        self, max_document_length: int, min_frequency: int = 0, vocabulary: CategoricalVocabulary | None = None,
        tokenizer_fn: Callable[[Iterable[str]], Iterable[list[str]]] | None = None,
    ) -> None:  # fmt: skip
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents: Iterable[str], unused_y: Any = None) -> VocabularyProcessor:
        """Learn the words of texts, and freeze the vocabulary."""
        for tokens in self._tokenizer(raw_documents):
            for token in tokens:
                self.vocabulary_.add(token)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(self, raw_documents: Any, unused_y: Any = None) -> Iterator[Any]:
        """Learn the words of texts, and yield their rows."""
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> Iterator[Any]:
        """Yield an int64 row for each text."""
        for tokens in self._tokenizer(raw_documents):
            row = np.zeros(self.max_document_length, np.int64)
            for i, token in enumerate(tokens[: self.max_document_length]):
                row[i] = self.vocabulary_.get(token)
            yield row

    def reverse(self, documents: Iterable[Any]) -> Iterator[str]:
        """Yield the text of each row."""
        for row in documents:
            yield " ".join(str(self.vocabulary_.reverse(class_id)) for class_id in row)

    def save(self, filename: Any) -> None:
        """Write the processor to a file."""
        with GFile(filename, "wb") as file:
            file.write(pickle.dumps(self))

    @classmethod
    def restore(cls, filename: Any) -> VocabularyProcessor:
        """Read a processor from a file that `save` wrote; as with any pickle, only read what you trust."""
        with GFile(filename, "rb") as file:
            found: VocabularyProcessor = pickle.loads(file.read())
        return found
