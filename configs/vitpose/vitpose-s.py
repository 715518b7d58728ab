# ViTPose-Small, classic decoder (two deconvolutions), 17 COCO keypoints: an mmpose 1.x model config.
# ruff: noqa: C408 - dict(...) is how mmpose writes its configs
codec = dict(type="UDPHeatmap", input_size=(192, 256), heatmap_size=(48, 64), sigma=2)

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(
        type="mmpretrain.VisionTransformer",  # realtime_pose puts its own in its place; mmpretrain is not needed
        arch=dict(embed_dims=384, num_layers=12, num_heads=12, feedforward_channels=1536),
        img_size=(256, 192),
        patch_size=16,
        qkv_bias=True,
        with_cls_token=False,
        out_type="featmap",
        patch_cfg=dict(padding=2),
    ),
    head=dict(
        type="HeatmapHead",
        in_channels=384,
        out_channels=17,
        deconv_out_channels=(256, 256),
        deconv_kernel_sizes=(4, 4),
        loss=dict(type="KeypointMSELoss", use_target_weight=True),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=False),
)

# The keypoint set, and the crop that the weights were trained with.
test_dataloader = dict(
    dataset=dict(
        type="CocoDataset",
        pipeline=[
            dict(type="LoadImage"),
            dict(type="GetBBoxCenterScale", padding=1.25),
            dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
            dict(type="PackPoseInputs"),
        ],
    )
)
