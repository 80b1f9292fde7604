from .action_recognizer import ActionRecognizer
from .attribute_recognizer import AttributeRecognizer
from .distiller import Distiller

__all__ = ['ActionRecognizer', 'AttributeRecognizer', 'Distiller']
