"""Variables as programs see them: objects, scopes, initialisers and the collections that hold them."""

from . import reference as reference
from . import resource as resource
from .base import (
    Variable,
    disable_resource_variables,
    enable_resource_variables,
    resource_variables_enabled,
    variable_creator_scope,
)
from .collections import *  # noqa: F403
from .collections import __all__ as _collections
from .initializers import *  # noqa: F403
from .initializers import __all__ as _initializers
from .scope import *  # noqa: F403
from .scope import __all__ as _scope

__all__ = [
    "Variable", "disable_resource_variables", "enable_resource_variables", "resource_variables_enabled", "variable_creator_scope",
    *_collections, *_initializers, *_scope,
]  # fmt: skip
