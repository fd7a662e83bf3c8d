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
from .distribution import VariableAggregation, VariableSynchronization
from .initializers import *  # noqa: F403
from .initializers import __all__ as _initializers
from .partitioners import *  # noqa: F403
from .partitioners import __all__ as _partitioners
from .scope import *  # noqa: F403
from .scope import __all__ as _scope
from .template import Template, create_partitioned_variables, make_template

__all__ = [
    "Template", "Variable", "VariableAggregation", "VariableSynchronization", "create_partitioned_variables",
    "disable_resource_variables", "enable_resource_variables", "make_template", "resource_variables_enabled",
    "variable_creator_scope", *_collections, *_initializers, *_partitioners, *_scope,
]  # fmt: skip
