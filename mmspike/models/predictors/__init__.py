from .action_recognizer import ActionRecognizer

__all__ = ['ActionRecognizer']
