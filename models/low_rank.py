"""LoRA (Hu et al. 2021) on the upper layers' MLPs, by PEFT.

MLPs hold more facts a parameter than attention does (2.4 against 1.3 bit), so adapters sit there.
"""

from __future__ import annotations

import warnings

from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from torch import nn
from transformers.modeling_utils import PreTrainedModel

from .language_model import kind_of
from .transformer_blocks import transformer_blocks

# PEFT 0.21 asks transformers 5 for a name that it has replaced; nothing the user can mend.
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")


def mlp_linear_names(model: PreTrainedModel) -> list[str]:
    """Names of the linear modules inside the blocks' MLPs, found by structure.

    A block's MLP is the child whose linears are not its attention's; families name it
    `mlp`, `feed_forward`, `ffn` or `intermediate`/`output`, all of which lack "att".

    Raises:
        UserError: the model has no blocks with attention.
    """
    return sorted(
        name
        for name, module in transformer_blocks(model)[0].named_modules()
        if "att" not in name and type(module).__name__ in {"Linear", "Conv1D"}
    )


def add_low_rank_adapters(model: PreTrainedModel, rank: int, upper_layers: int) -> PeftModel:
    """Wrap `model` with rank-`rank` adapters on the MLPs of its last `upper_layers` blocks."""
    count = model.config.num_hidden_layers
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.0,  # a resumed run must give the same bytes
        # Whole names: GPT-2 calls a linear of its attention `c_proj` too.
        target_modules=mlp_linear_names(model),
        layers_to_transform=list(range(max(0, count - upper_layers), count)),
        task_type=peft_task(model),
    )
    return get_peft_model(model, config)


def peft_task(model: PreTrainedModel) -> TaskType:
    """What PEFT calls a model's task; a masked one's it has no name for, and this comes nearest."""
    causal = kind_of(model) == "causal"
    return TaskType.CAUSAL_LM if causal else TaskType.FEATURE_EXTRACTION


def trained_parameters(model: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(value.numel() for value in model.parameters() if value.requires_grad)
