"""A training that goes astray stops where it does: rates that no setting takes any more are given past their check."""

import pytest
import torch

from catalog.errors import ConfigError
from embedding.divergence import require_numbers


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_refused_with_the_setting_to_lower(bad):
    with pytest.raises(ConfigError) as refused:
        require_numbers(
            [torch.zeros(2), torch.tensor([1.0, bad])], of="encoders.fusion", at="epoch 3", rate=0.5
        )  # fmt: skip
    assert str(refused.value) == (
        "encoders.fusion: diverged at epoch 3, the loss or a weight is no number any more; lower "
        "encoders.fusion.learning_rate (now 0.5; 0.05 would be worth a try); nothing of it is kept"
    )


def test_numbers_pass_however_large():
    require_numbers([torch.tensor([3e38, -3e38])], of="encoders.video", at="step 1", rate=1.0)
