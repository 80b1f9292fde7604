"""Pedestrian attributes: the annotation format, its verification, and readers of the released data sets."""
from .annotation import Annotation, AnnotationError, Attribute, load_annotation, save_annotation
from .community import read_pickle, read_upar
from .market1501 import read_market1501
from .own_set import read_own_set
from .pa100k import read_pa100k
from .peta import read_peta
from .rap import read_rapv1, read_rapv2
from .release import Release, load_list
from .verify import Report, verify
from .zero_shot import read_peta_zs, read_rap_zs

__all__ = ['Annotation', 'AnnotationError', 'Attribute', 'Release', 'Report', 'load_annotation', 'load_list',
           'read_market1501', 'read_own_set', 'read_pa100k', 'read_peta', 'read_peta_zs', 'read_pickle', 'read_rap_zs',
           'read_rapv1', 'read_rapv2', 'read_upar', 'save_annotation', 'verify']
