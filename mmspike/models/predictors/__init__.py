from .action_recognizer import ActionRecognizer
from .attribute_recognizer import AttributeRecognizer

__all__ = ['ActionRecognizer', 'AttributeRecognizer']
