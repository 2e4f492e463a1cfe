"""All cases of all modules, in one list."""

from tests.validator import (
    cases_module2,
    cases_module3,
    cases_module4,
    cases_module5,
    cases_module7,
    cases_module8,
    cases_module9,
)
from tests.validator.cases import MODULE5, MODULE6, OPERATOR
from tests.validator.cases_module0 import MODULE0
from tests.validator.cases_module1 import MODULE1
from tests.validator.cases_module2 import MODULE2
from tests.validator.cases_module3 import MODULE3
from tests.validator.cases_module4 import MODULE4
from tests.validator.cases_module5 import MODULE5_REST
from tests.validator.cases_module7 import MODULE7
from tests.validator.cases_module8 import MODULE8
from tests.validator.cases_module9 import MODULE9

# In a namespace of their own each, beside one another.
PLAYED = [
    *MODULE0,
    *MODULE2,
    *MODULE3,
    *MODULE4,
    *MODULE5,
    *MODULE5_REST,
    *MODULE6,
    *MODULE7,
    *MODULE8,
    *MODULE9,
]
ALL = [*OPERATOR, *PLAYED, *MODULE1]
TYPED_CHEATS = [
    *cases_module2.CHEATS,
    *cases_module3.CHEATS,
    *cases_module4.CHEATS,
    *cases_module5.CHEATS,
    *cases_module7.CHEATS,
    *cases_module8.CHEATS,
    *cases_module9.CHEATS,
]
