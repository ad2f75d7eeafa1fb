"""Ordinary captures, read several times as fast."""
