"""Words are put together as the reader's language does it."""

from __future__ import annotations

import pytest
from django.utils.translation import gettext_lazy, override

from anze.kernel.wording import listed


@pytest.mark.parametrize(("language", "said"), [("zh-hans", "化工、冶金、3"), ("en", "化工, 冶金, 3")])
def test_the_things_of_a_list(language: str, said: str) -> None:
    with override(language):
        assert listed(["化工", "冶金", 3]) == said
        assert listed([]) == ""
        assert listed([gettext_lazy("one")]) == "one"
