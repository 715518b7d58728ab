"""Looks of the actors: clothes, hair and colours (sRGB, 0..1)."""

from dataclasses import dataclass

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """One actor's look.

    Attributes:
        skin, lips, hair, shirt, collar, trousers, shoes, soles, iris: Colours.
        hem_m: Height of the shirt's hem on the first actor.
        long_sleeves: Whether the sleeves reach the wrists.
        bun: Whether the hair is tied behind the head.
    """

    skin: Rgb
    lips: Rgb
    hair: Rgb
    shirt: Rgb
    collar: Rgb
    trousers: Rgb
    shoes: Rgb
    soles: Rgb
    iris: Rgb
    hem_m: float = 0.955
    long_sleeves: bool = False
    bun: bool = False


FIRST_LOOK = Look(
    skin=(0.86, 0.66, 0.54),
    lips=(0.74, 0.48, 0.43),
    hair=(0.20, 0.13, 0.09),
    shirt=(0.16, 0.46, 0.50),
    collar=(0.11, 0.34, 0.38),
    trousers=(0.25, 0.28, 0.36),
    shoes=(0.32, 0.20, 0.14),
    soles=(0.88, 0.86, 0.80),
    iris=(0.24, 0.33, 0.28),
)

SECOND_LOOK = Look(
    skin=(0.58, 0.40, 0.30),
    lips=(0.52, 0.27, 0.25),
    hair=(0.07, 0.06, 0.06),
    shirt=(0.80, 0.57, 0.20),
    collar=(0.67, 0.45, 0.13),
    trousers=(0.20, 0.17, 0.27),
    shoes=(0.84, 0.83, 0.82),
    soles=(0.34, 0.34, 0.36),
    iris=(0.20, 0.13, 0.09),
    hem_m=0.992,
    long_sleeves=True,
    bun=True,
)
