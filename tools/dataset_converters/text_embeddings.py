"""Sentence embeddings of the attributes of a data set, for a text-guided head (VTBHead, SequenceHead).

  python tools/dataset_converters/text_embeddings.py data/pa100k/pa100k.json --out data/pa100k/text_embeddings.npz

Embeds the phrase of each attribute of an annotation file. The default encoder is that of the published VTB and
SNN-PAR. Without network give the folder of a downloaded model as --model (open_clip: its file as --pretrained; weights
of OpenAI need a name that ends in -quickgelu, such as --model ViT-L-14-quickgelu). --negative 'not {}' also embeds the
absence of each attribute, for sequences that name it.

A published teacher needs the very embeddings that it was trained with: --pickle dataset.pkl takes them out of the file
that its authors trained on (read without running code), by the names of the attributes.
"""
import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mmspike.datasets.attributes import load_annotation
from mmspike.datasets.attributes.restricted_pickle import load_pickle
from mmspike.utils.text_embeddings import TextEmbeddings
from mmspike.utils.tool_errors import run_tool

INSTALL = ('{package} is not installed, which --library {library} needs: pip install {package}. Or choose the other '
           'library; what is written are numbers, so another machine may write the file.')


def sentence_transformers(phrases: list[str], args: argparse.Namespace) -> np.ndarray:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        sys.exit(INSTALL.format(package='sentence-transformers', library=args.library))
    return SentenceTransformer(args.model or 'all-mpnet-base-v2', device='cpu').encode(phrases)


def open_clip(phrases: list[str], args: argparse.Namespace) -> np.ndarray:
    try:
        import open_clip
        import torch
    except ImportError:
        sys.exit(INSTALL.format(package='open_clip_torch', library=args.library))
    if args.pretrained is None:
        sys.exit('--library open_clip needs --pretrained: a tag such as openai, or a file of weights. Without weights '
                 'the embeddings would be noise.')
    name = args.model or 'ViT-L-14'
    model, _, _ = open_clip.create_model_and_transforms(name, pretrained=args.pretrained)
    with torch.no_grad():
        return model.eval().encode_text(open_clip.get_tokenizer(name)(phrases)).float().numpy()


def published(path: Path, attributes: list[str]) -> tuple[list[str], np.ndarray]:
    """Phrases and vectors of a published ``dataset.pkl``, in the order of ``attributes``."""
    content = load_pickle(path)
    missing = [key for key in ('attr_name', 'attr_words', 'attr_vectors') if key not in content]
    if missing:
        sys.exit(f'{path} has no {", ".join(missing)}; expected a dataset.pkl of VTB or SNN-PAR')
    names = [str(name) for name in content['attr_name']]
    unknown = [name for name in attributes if name not in names]
    if unknown:
        sys.exit(f'{path} has no {", ".join(unknown[:5])} among its attributes ({", ".join(names[:5])}, ...); expected '
                 f'the pickle of the same data set')
    rows = [names.index(name) for name in attributes]
    return [str(content['attr_words'][row]) for row in rows], np.asarray(content['attr_vectors'])[rows]


LIBRARIES: dict[str, Callable] = dict(sentence_transformers=sentence_transformers, open_clip=open_clip)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('annotations', type=Path, help='annotation file of tools/dataset_converters')
    parser.add_argument('--out', type=Path, required=True, help='file to write, .npz')
    parser.add_argument('--library', choices=LIBRARIES, default='sentence_transformers', help='what encodes')
    parser.add_argument('--model', help='its name, or a folder (default: all-mpnet-base-v2; of open_clip ViT-L-14)')
    parser.add_argument('--pretrained', help='weights of open_clip: a tag, or a file')
    parser.add_argument('--pickle', type=Path, help='published dataset.pkl to take phrases and vectors from')
    parser.add_argument('--template', default='{}', help="put around each phrase, such as 'a person with {}'")
    parser.add_argument('--negative', help="also embed absences: put around each phrase, such as 'not {}'")
    args = parser.parse_args(argv)
    if args.out.suffix != '.npz':
        parser.error(f'--out {args.out}: expected a name that ends in .npz')
    for option, template in (('template', args.template), ('negative', args.negative)):
        if template is not None and '{}' not in template:
            parser.error(f"--{option} {template!r}: expected {{}} in it, where the phrase goes")
    if args.negative and args.pickle:
        parser.error('--negative: a published dataset.pkl holds no vectors of absences; leave out --pickle')

    attributes = load_annotation(args.annotations).attributes
    names = [attribute.name for attribute in attributes]
    if args.pickle:
        phrases, vectors = published(args.pickle, names)
        encoder = args.pickle.name
    else:
        phrases = [args.template.format(attribute.phrase) for attribute in attributes]
        vectors = np.asarray(LIBRARIES[args.library](phrases, args), np.float32)
        encoder = f'{args.library} {args.model or ""} {args.pretrained or ""}'.strip()
    absences = ()
    if args.negative:
        absent = [args.negative.format(phrase) for phrase in phrases]
        absences = (absent, np.asarray(LIBRARIES[args.library](absent, args), np.float32))
    TextEmbeddings(names, phrases, vectors, encoder, *absences).write(args.out)
    print(f'{args.out}: {len(phrases)} attributes, {vectors.shape[1]} numbers each\n  '
          + '\n  '.join(f'{name}: {phrase}' for name, phrase in zip(names, phrases, strict=True)))


if __name__ == '__main__':
    run_tool(main)
