"""Scores a payment with the `scoring` model and explains the score."""

THRESHOLD = 0.82


def decide(score: float) -> str:
    return "review" if score >= THRESHOLD else "pass"
