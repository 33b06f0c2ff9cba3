"""The rules that ship, as every night reads them."""

import pytest

from pls_ml.accounts.rules import AccountRules
from pls_ml.core.builtin import find_builtin
from pls_ml.io.yaml import read_spec


@pytest.fixture(scope="session")
def rules() -> AccountRules:
    return read_spec(find_builtin("accounts/default.yaml"), AccountRules, "account rules")
