"""All cases of all modules, in one list."""

from tests.validator.cases import MODULE5, MODULE6, OPERATOR
from tests.validator.cases_module0 import MODULE0
from tests.validator.cases_module2 import CHEATS_2, MODULE2
from tests.validator.cases_module4 import CHEATS, MODULE4

# In a namespace of their own each, beside one another.
PLAYED = [*MODULE0, *MODULE2, *MODULE4, *MODULE5, *MODULE6]
ALL = [*OPERATOR, *PLAYED]
TYPED_CHEATS = [*CHEATS_2, *CHEATS]
