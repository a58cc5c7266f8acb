"""How much of the surface of Keras is here, room by room: what is absent is listed, and nothing else."""

import keras
import pytest

import autograd_nn as ag

# Layers for which there is no need here, or not yet: wrappers of other frameworks, random changes of images, words.
ABSENT_LAYERS = {
    "AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Discretization",
    "Equalization", "FlaxLayer", "GroupQueryAttention", "HashedCrossing", "Hashing", "IntegerLookup", "JaxLayer",
    "MaxNumBoundingBoxes", "MelSpectrogram", "MixUp", "Pipeline", "RandAugment", "RandomBrightness",
    "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomCrop", "RandomElasticTransform",
    "RandomErasing", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert",
    "RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear",
    "RandomTranslation", "RandomZoom", "ReversibleEmbedding", "STFTSpectrogram", "Solarization", "StringLookup",
    "TFSMLayer", "TextVectorization", "TorchModuleWrapper",
}  # fmt: skip
ABSENT_AT_THE_TOP = {
    "DTypePolicy", "FloatDTypePolicy", "Function", "Operation", "Quantizer", "RematScope", "StatelessScope",
    "SymbolicScope", "applications", "device", "distillation", "distribution", "dtype_policies", "export",
    "mixed_precision", "quantizers", "remat", "src", "visualization", "wrappers",
}  # fmt: skip
ABSENT_IN_CONFIG = {
    "disable_flash_attention", "dtype_policy", "enable_flash_attention", "enable_unsafe_deserialization",
    "is_flash_attention_enabled", "is_nnx_enabled", "max_epochs", "max_steps_per_epoch", "set_dtype_policy",
    "set_max_epochs", "set_max_steps_per_epoch",
}  # fmt: skip
MUST = {
    "layers": """Input InputLayer InputSpec Layer Wrapper Dense Activation Flatten Reshape Permute RepeatVector Dropout
        Lambda Masking Embedding Conv1D Conv2D Conv2DTranspose MaxPooling1D MaxPooling2D AveragePooling1D
        AveragePooling2D GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D
        UpSampling2D ZeroPadding2D BatchNormalization LayerNormalization ReLU LeakyReLU Softmax RNN SimpleRNN LSTM GRU
        SimpleRNNCell LSTMCell GRUCell StackedRNNCells Bidirectional TimeDistributed Add Subtract Multiply Average
        Maximum Minimum Concatenate Dot add subtract multiply average maximum minimum concatenate dot serialize
        deserialize""",
    "losses": """Loss BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy MeanSquaredError
        MeanAbsoluteError Hinge KLDivergence CTC get serialize deserialize""",
    "callbacks": """Callback CallbackList History ProgbarLogger EarlyStopping ModelCheckpoint ReduceLROnPlateau
        LearningRateScheduler LambdaCallback CSVLogger TerminateOnNaN""",
    "datasets": "mnist fashion_mnist cifar10 imdb reuters boston_housing",
    "models": "Model Sequential save_model load_model clone_model model_from_json",
    "config": "floatx epsilon image_data_format set_floatx set_epsilon set_image_data_format backend set_backend",
    "utils": """to_categorical pad_sequences plot_model model_to_dot set_random_seed Progbar PyDataset Sequence
        normalize get_file register_keras_serializable custom_object_scope serialize_keras_object
        deserialize_keras_object split_dataset clear_session is_keras_tensor""",
    "backend": """clear_session square mean sum gradients function variable placeholder int_shape dot exp pow
        random_normal concatenate batch_flatten cast epsilon l2_normalize ctc_batch_cost ctc_decode shape eval
        get_value set_value floatx image_data_format learning_phase sqrt abs max maximum""",
    "ops": """abs absolute add all allclose amax amin any append arange arccos arccosh arcsin arcsinh arctan arctan2
        arctanh argmax argmin argsort array average bincount broadcast_to ceil clip concatenate copy cos cosh
        count_nonzero cross cumprod cumsum diag diagonal diff digitize divide divide_no_nan dot einsum empty equal exp
        expand_dims expm1 eye flip floor floor_divide full full_like greater greater_equal hstack identity isclose
        isfinite isinf isnan less less_equal linspace log log10 log1p log2 logaddexp logical_and logical_not logical_or
        logical_xor matmul max maximum mean median meshgrid min minimum mod moveaxis multiply nan_to_num negative
        nonzero norm not_equal ones ones_like outer pad power prod quantile ravel reciprocal repeat reshape roll round
        searchsorted sign sin sinh sort split sqrt square squeeze stack std subtract sum swapaxes take take_along_axis
        tan tanh tensordot tile trace transpose tri tril triu true_divide var vdot vstack where zeros zeros_like
        average_pool batch_normalization binary_crossentropy categorical_crossentropy conv conv_transpose ctc_decode
        ctc_loss depthwise_conv dot_product_attention elu gelu hard_sigmoid layer_normalization leaky_relu log_sigmoid
        log_softmax max_pool moments multi_hot normalize one_hot relu relu6 selu separable_conv sigmoid silu softmax
        softplus softsign sparse_categorical_crossentropy swish
        cast cond convert_to_numpy convert_to_tensor custom_gradient fori_loop is_tensor map scan scatter
        scatter_update shape slice slice_update stop_gradient switch unstack vectorized_map while_loop
        cholesky det eigh erf erfinv extract_sequences in_top_k inv logsumexp lstsq qr rsqrt segment_max segment_sum
        solve solve_triangular svd top_k""",
}  # fmt: skip
SHOULD = {
    "layers": """SeparableConv1D SeparableConv2D DepthwiseConv1D DepthwiseConv2D Conv1DTranspose Conv3D ConvLSTM2D
        MaxPooling3D AveragePooling3D UpSampling1D ZeroPadding1D Cropping1D Cropping2D ELU PReLU GaussianNoise
        GaussianDropout AlphaDropout SpatialDropout1D SpatialDropout2D ActivityRegularization Attention
        AdditiveAttention MultiHeadAttention EinsumDense GroupNormalization UnitNormalization RMSNormalization
        SpectralNormalization Identity Rescaling Normalization CategoryEncoding""",
    "datasets": "california_housing cifar100",
    "config": """enable_traceback_filtering disable_traceback_filtering is_traceback_filtering_enabled
        enable_interactive_logging disable_interactive_logging is_interactive_logging_enabled""",
    "utils": """timeseries_dataset_from_array load_img img_to_array array_to_img save_img pack_x_y_sample_weight
        unpack_x_y_sample_weight""",
}


def public(room):
    return {name for name in dir(room) if not name.startswith("_")}


def lacking(theirs, ours):
    return {name for name in public(theirs) if not hasattr(ours, name)}


@pytest.mark.parametrize("tier", [MUST, SHOULD])
def test_tiers(tier):
    found = {(room, name) for room, names in tier.items() for name in names.split()}
    there = {(room, name) for room, name in found if room == "backend" and name in dir(ag.backend)}
    there |= {(room, name) for room, name in found if room != "backend" and hasattr(getattr(ag, room), name)}
    assert found - there == set()


def test_layers():
    assert lacking(keras.layers, ag.layers) <= ABSENT_LAYERS


def test_the_top():
    assert lacking(keras, ag) <= ABSENT_AT_THE_TOP | {"legacy"}


def test_config():
    assert lacking(keras.config, ag.config) == ABSENT_IN_CONFIG


@pytest.mark.parametrize("name", sorted(public(keras.datasets)))
def test_datasets(name):
    assert not lacking(getattr(keras.datasets, name), getattr(ag.datasets, name))


def test_twenty_other_names_of_layers():
    pairs = {}
    for name in public(keras.layers):
        cls = getattr(keras.layers, name)
        if isinstance(cls, type) and cls.__name__ != name and hasattr(ag.layers, name):
            pairs[name] = cls.__name__
    assert len(pairs) >= 20
    assert all(getattr(ag.layers, other) is getattr(ag.layers, name) for other, name in pairs.items())
