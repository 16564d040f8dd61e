"""Colours of all figures and pages, on paper and on a screen."""

__all__ = ["GRID", "INK", "MUTED", "PAPER", "SCREEN_COLOURS"]

#: Placeholders on a screen (see ``svg``), plain greys on paper.
INK, MUTED, GRID, PAPER = "#111318", "#5b6170", "#d9dce3", "#fefefe"


#: Colour on paper → name of the CSS variable, colour on dark ground. Okabe & Ito's blue and vermillion are lightened
#: there until their contrast with the ground is above 4.5, as WCAG 2.2 asks of text.
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
