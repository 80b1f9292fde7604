"""VTB: ViT-B/16 (its last layer and norm are the head's) and sentences; a leaf sets attributes and text embeddings."""
model = dict(
    type='AttributeRecognizer',
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor', mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_rgb=True),
    backbone=dict(
        type='mmpretrain.VisionTransformer',
        arch=dict(embed_dims=768, num_layers=11, num_heads=12, feedforward_channels=3072),
        img_size=(256, 128),
        patch_size=16,
        drop_path_rate=0.1 * 10 / 11,  # of the layers of a ViT of 12, from 0 to 0.1, the first 11
        final_norm=False,
        interpolate_mode='bilinear',  # of the ImageNet positions, 14x14 to 16x8
        out_type='raw'),
    head=dict(
        type='VTBHead',
        num_attributes=26,
        in_channels=768,
        text_embeddings=None,  # learned; a leaf names a file
        num_heads=12,
        drop_path_rate=0.1,
        loss=dict(type='WeightedBCELoss')))
