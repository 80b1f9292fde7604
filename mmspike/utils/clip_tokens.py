"""CLIP's tokenizer, from open_clip, which bundles its vocabulary: nothing is fetched."""
from collections.abc import Sequence

from torch import Tensor


def clip_tokens(texts: Sequence[str], context_length: int = 77) -> Tensor:
    """Token ids of texts, int64 ``[len(texts), context_length]``, each between a start and an end.

    Raises:
        ImportError: open_clip is not installed.
        ValueError: a text that does not fit, of which CLIP would silently see the beginning only.
    """
    try:
        from open_clip.tokenizer import SimpleTokenizer
    except ImportError:
        raise ImportError("the tokenizer of CLIP needs open_clip: pip install open_clip_torch. Or give the phrases' "
                          'features in a file, made on another machine: model.head.phrases=dict(type=\'FilePhrases\', '
                          'text_embeddings=FILE).') from None
    tokenizer = SimpleTokenizer(context_length=context_length)
    for text in texts:
        count = len(tokenizer.encode(text)) + 2
        if count > context_length:
            raise ValueError(f'clip_tokens: {text!r} has {count} tokens with start and end, expected at most '
                             f'{context_length}. Shorten the phrase of this attribute in the annotation file.')
    return tokenizer(list(texts)).long()
