"""Pure rules of selling."""
