"""`tf.contrib.learn`: what programs use of it without its estimators."""

from types import SimpleNamespace as _Namespace

from ...contrib.preprocessing import CategoricalVocabulary, VocabularyProcessor, tokenizer
from ...interop.mnist import load_mnist, read_data_sets

preprocessing = _Namespace(
    CategoricalVocabulary=CategoricalVocabulary, VocabularyProcessor=VocabularyProcessor, tokenizer=tokenizer
)
datasets = _Namespace(mnist=_Namespace(load_mnist=load_mnist, read_data_sets=read_data_sets))

__all__ = ["datasets", "preprocessing"]
