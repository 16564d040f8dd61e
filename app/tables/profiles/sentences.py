"""What a profile says, in sentences: where the time goes, and whether its times add up."""

from collections.abc import Sequence

from edge_bench.app.render.units import percent, seconds
from edge_bench.bench.analysis.profiles.names import operator_names
from edge_bench.bench.records.profile import TOLERANCE, OperatorTime, Profile
from edge_bench.bench.wording import counted

__all__ = ["configuration_text", "profile_answer", "profile_sentences", "profile_trust"]


def configuration_text(profile: Profile) -> str:
    """Return the configuration, such as ``int8 on litert, 1 thread, batch 1``."""
    return f"{profile.variant} on {profile.runtime}, {counted(profile.threads, 'thread')}, batch {profile.batch_size}"


def profile_sentences(profiles: Sequence[Profile]) -> list[str]:
    """Return two lines for each profile, preceded by its configuration if there are several."""
    several = len(profiles) > 1
    return [
        line
        for profile in profiles
        for line in (
            f"{f'{configuration_text(profile)}: ' if several else ''}{profile_answer(profile)}",
            profile_trust(profile),
        )
    ]


def profile_answer(profile: Profile) -> str:
    """Return which kind of operator takes most of the time, and which operator of it."""
    kinds = dict[str, list[OperatorTime]]()
    for operator in profile.operators:
        kinds.setdefault(operator.kind, []).append(operator)
    if not kinds or not profile.operator_seconds:
        whole = seconds(profile.invocation_seconds)
        return f"No operator takes time that the profiler can measure: an invocation takes {whole}"
    # the whole that shares are of: operators may take longer than an invocation without the profiler
    longer = profile.operator_seconds > profile.invocation_seconds
    whole = f"{seconds(profile.operator_seconds)} of all operators" if longer else seconds(profile.invocation_seconds)
    kind, operators = max(kinds.items(), key=lambda item: profile.share(item[1]))
    slowest = max(operators, key=lambda operator: operator.seconds)
    names = dict(zip(map(id, profile.operators), operator_names(profile.operators), strict=True))
    name = names[id(slowest)]
    text = f"{kind} takes {_share(profile, operators)} of {whole}"
    if len(operators) == 1:
        return f"{text}: {name}"
    return f"{text}: {name} alone {_share(profile, [slowest])}"


def profile_trust(profile: Profile) -> str:
    """Return whether the times of the operators are valid and add up to an invocation, and the profiler's overhead."""
    total, whole = seconds(profile.operator_seconds), seconds(profile.invocation_seconds)
    limit = f"{percent(TOLERANCE, 0)} %"
    overhead = f"the profiler adds {percent(max(0.0, profile.overhead), 0)} % to an invocation"
    if profile.emulated:
        return "! EMULATED: these times are those of an emulator. Measure on the device."
    if profile.adds_up:
        return f"Times add up: operators take {total} of {whole}; {overhead}"
    if profile.hidden_by_rounding:
        return (
            f"! Times too short to be sure that they add up: operators take {total} of {whole}, and rounding can hide "
            f"{seconds(profile.rounded_off_seconds)}; {overhead}"
        )
    if profile.between_seconds < 0:
        return (
            f"! Times not reliable: operators take {total} with the profiler, over {limit} more than an invocation "
            f"without it, {whole}. Stop other programs, or use --threads 1."
        )
    return (
        f"! Times incomplete: operators take {total} of {whole}, over {limit} less; the rest is work of the runtime "
        f"between operators; {overhead}"
    )


def _share(profile: Profile, operators: Sequence[OperatorTime]) -> str:
    return f"{percent(profile.share(operators), 0)} %"
