"""The reference pages of the documentation, made from the code that they describe."""

from controller.reference.all_pages import Arguments, pages

__all__ = ["Arguments", "pages"]
