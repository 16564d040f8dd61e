"""Colours of all figures and pages, in print and on a screen."""

__all__ = ["GRID", "INK", "MUTED", "PAPER", "SCREEN_COLOURS"]

#: Neutral colours in print; on a screen they are replaced by CSS variables (see ``figures/drawing/svg.py``).
INK, MUTED, GRID, PAPER = "#111318", "#5b6170", "#d9dce3", "#fefefe"


#: Colour in print → name of the CSS variable, colour on a dark background. Okabe & Ito's blue and vermillion are
#: lightened on a dark background to a contrast above 4.5, which WCAG 2.2 requires of text.
SCREEN_COLOURS = {
    INK: ("ink", "#e8eaed"),
    MUTED: ("muted", "#a3a9b6"),
    GRID: ("grid", "#33373f"),
    PAPER: ("paper", "#15171b"),
    "#0072b2": ("blue", "#4aa8e0"),
    "#56b4e9": ("sky", "#8fd0f5"),
    "#d55e00": ("vermillion", "#f0843c"),
    "#009e73": ("green", "#3dc79c"),
    "#cc79a7": ("purple", "#e09cc2"),
    "#e69f00": ("orange", "#f0b840"),
    "#b3a500": ("yellow", "#e6da55"),
    "#7a5195": ("violet", "#b08fce"),
}
