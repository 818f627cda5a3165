"""SigLIP 2 ViT-B/16 with LoRA and its queries, from a joined checkpoint.

As ``query_siglip2-b16_pa100k_finetuned.py``, but of the tower 0.4 million weights are
trained, which are added to those of its attention.
"""

_base_ = "./query_siglip2-b16_pa100k_finetuned.py"

model = dict(
    backbone=dict(
        frozen=True,
        lora=dict(targets=r".*\.attn\.(qkv|proj)\.weight", rank=8, alpha=16),
    )
)
optim_wrapper = dict(
    optimizer=dict(lr=1e-4), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=1)))
)
